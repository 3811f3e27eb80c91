"""Compiles the scripts that come on standard input, in their order.

Each comes as two lengths (path, source), the path and the source; the answer is a kind (C: compiled, E: cannot be
compiled), a length, and the file or the message. Lengths are 8 bytes, little-endian.
"""

import importlib.util
import marshal
import struct
import sys

CHECKED_HASH = 0b11  # PEP 552: the file names the hash of its source, and the importer compares it.


def compiled(path, source):
    head = importlib.util.MAGIC_NUMBER + struct.pack("<I", CHECKED_HASH) + importlib.util.source_hash(source)
    return head + marshal.dumps(compile(source, path, "exec", dont_inherit=True, optimize=0))


def main():
    read, write, flush = sys.stdin.buffer.read, sys.stdout.buffer.write, sys.stdout.buffer.flush
    while lengths := read(16):
        path_length, source_length = struct.unpack("<QQ", lengths)
        path, source = read(path_length).decode(), read(source_length)
        try:
            kind, answer = b"C", compiled(path, source)
        except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            kind, answer = b"E", f"{getattr(error, 'msg', error)}{f' (line {line})' if line else ''}".encode()
        write(kind + struct.pack("<Q", len(answer)) + answer)
        flush()


main()
