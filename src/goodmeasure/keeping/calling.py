"""A call from a compiled loop of another compiled function, of which only the address is known."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic


@intrinsic  # type: ignore[untyped-decorator,unused-ignore]
def call_at(typing_context: Any, address: Any, arguments: Any) -> Any:
    """Call the C function that stands at an address on a tuple of numbers; it returns nothing.

    What the function takes as a pointer is given as an address.
    """

    def generated(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place, numbers = given
        values = cgutils.unpack_tuple(builder, numbers)
        function = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        builder.call(builder.inttoptr(place, function.as_pointer()), values)
        return context.get_dummy_value()

    return types.void(address, arguments), generated
