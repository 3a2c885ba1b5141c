"""Tables in, files out: files and frames as columns, remarks on them, and files that appear whole or not at all.

What a column means for a study is decided in `study`; how shards are tallied, in `engines`.
"""
