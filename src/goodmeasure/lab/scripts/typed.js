// A formula that was typed: read into a tree of words of the vocabulary, and evaluated word by word together with its slope.
// Nothing of it is ever run as a program.
import { WORDS } from "./words.js";

const LONGEST = 200;
const TOKEN = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|([a-z]\w*)|(\*\*|<=|>=|[-+*/()<>,]))/iy;
// What stands between two operands: how tightly it binds, and its word; those that ask for more swap their sides.
const INFIX = new Map([
  ["<", [1, "less"]],
  ["<=", [1, "less_equal"]],
  [">", [1, "less", true]],
  [">=", [1, "less_equal", true]],
  ["+", [2, "add"]],
  ["-", [2, "sub"]],
  ["*", [3, "mul"]],
  ["/", [3, "div"]],
  ["**", [5, "power"]],
]);
const MINUS = 4;

function tokens(text) {
  if (text.length > LONGEST) throw new SyntaxError(`a formula here has at most ${LONGEST} letters`);
  const found = [];
  const rest = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < rest.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(rest);
    if (!match) throw new SyntaxError(`"${rest.slice(from).trim()[0]}" has no meaning in a formula`);
    found.push({ number: match[1], name: match[2], mark: match[3], text: match[0].trim() });
  }
  return found;
}

function applied(name, args) {
  if (!Object.hasOwn(WORDS, name)) throw new SyntaxError(`there is no word ${name}`);
  const word = WORDS[name];
  if (args.length !== word.takes) throw new SyntaxError(`${name} takes ${word.takes}, and was given ${args.length}`);
  const key = args.map((arg) => (arg.varies ? "1" : "0")).join("");
  return { word, args, slope: word.slopes[key], varies: key.includes("1") };
}

// The tree of a formula of these symbols; an error says what is wrong with it.
export function read(text, symbols) {
  const left = tokens(text);
  const mark = () => left[0]?.mark;
  const expect = (wanted) => {
    if (mark() !== wanted) throw new SyntaxError(`${wanted} is missing ${left.length ? `before ${left[0].text}` : "at the end"}`);
    left.shift();
  };
  const listed = () => {
    const args = [];
    do args.push(operand(0));
    while (mark() === "," && left.shift());
    expect(")");
    return args;
  };
  const first = () => {
    const token = left.shift();
    if (!token) throw new SyntaxError("something is missing at the end");
    if (token.number !== undefined) return { number: Number(token.number), varies: false };
    if (token.mark === "-") return applied("neg", [operand(MINUS)]);
    if (token.mark === "(") {
      const inner = operand(0);
      expect(")");
      return inner;
    }
    if (token.name === undefined) throw new SyntaxError(`${token.text} is not expected there`);
    if (mark() === "(") {
      left.shift();
      return applied(token.name, listed());
    }
    if (symbols.includes(token.name)) return { symbol: token.name, varies: true };
    throw new SyntaxError(`there is no ${token.name} here: a formula is of ${symbols.join(" and ")}`);
  };
  // Whatever binds tighter than `least`. Powers bind to the right.
  const operand = (least) => {
    let found = first();
    while (INFIX.has(mark()) && INFIX.get(mark())[0] > least) {
      const [binds, name, swapped] = INFIX.get(left.shift().mark);
      const other = operand(name === "power" ? MINUS - 1 : binds);
      found = applied(name, swapped ? [other, found] : [found, other]);
    }
    return found;
  };
  const tree = operand(0);
  if (left.length) throw new SyntaxError(`${left[0].text} is not expected there`);
  return tree;
}

// The value and the slope of a tree, where `known` has those of each symbol.
export function at(node, known) {
  if (node.number !== undefined) return [node.number, 0];
  if (node.symbol !== undefined) return known[node.symbol];
  const parts = node.args.map((arg) => at(arg, known));
  const values = parts.map((part) => part[0]);
  return [Number(node.word.value(...values)), node.slope ? Number(node.slope(...values, ...parts.map((part) => part[1]))) : 0];
}

// A loss of yes and no: its formula is of p, the probability given to what happened, and of m, the raw output toward it.
export function typedLoss(text) {
  const tree = read(text, ["p", "m"]);
  return (y, z) => {
    const side = y > 0 ? 1 : -1;
    const m = [side * z, 1];
    const p = [WORDS.sigmoid.value(m[0]), WORDS.sigmoid.slopes["1"](m[0], 1)];
    const [value, slope] = at(tree, { m, p });
    return [value, Number.isNaN(value) ? NaN : side * slope];
  };
}
