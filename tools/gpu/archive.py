"""Packs the logs of a part into one archive below 16 MiB. The middle of long logs is cut out, which is reported."""
import io
import pathlib
import tarfile

MOST = (16 << 20) - (64 << 10)
MOST_OF_A_LOG = 4 << 20


def shorten(path, most):
    """Keeps the beginning and the end of a file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(most // 2)
        file.seek(size - most // 2)
        tail = file.read()
    path.write_bytes(head + f"\n[... {size - most} bytes were cut out here ...]\n".encode() + tail)


def packed(folder, name):
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz", compresslevel=6) as tar:
        tar.add(folder, arcname=name)
    return memory.getvalue()


def pack(folder, target, most=MOST, most_of_a_log=MOST_OF_A_LOG):
    """Packs the folder into the file `target`, which is below `most` bytes. Returns the names of shortened files."""
    folder, cut = pathlib.Path(folder), {}
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        if path.stat().st_size > most_of_a_log:
            shorten(path, most_of_a_log)
            cut[str(path.relative_to(folder))] = True
    while len(data := packed(folder, target.name.split(".")[0])) >= most:
        largest = max(files, key=lambda path: path.stat().st_size)
        size = largest.stat().st_size
        if size < 4096:
            raise ValueError(f"{len(files)} files do not fit into an archive of {most} bytes")
        shorten(largest, size // 4)
        cut[str(largest.relative_to(folder))] = True
    target.write_bytes(data)
    return list(cut)
