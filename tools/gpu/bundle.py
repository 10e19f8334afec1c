"""The programs of an unpacked bundle, with the libraries they need on this machine."""
import glob
import os
import pathlib
import site
import subprocess
import sysconfig


def library_folders():
    """Folders in which the driver, cuDNN, cuBLASLt and NCCL may be: those of PyTorch (nvidia/*/lib) and of the CUDA Toolkit."""
    roots = {sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"], *site.getsitepackages(), site.getusersitepackages()}
    wheels = [folder for root in sorted(roots) for folder in sorted(glob.glob(root + "/nvidia/*/lib"))]
    return ["/usr/local/nvidia/lib64", *wheels, os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "lib64")]


class Bundle:
    """Programs run with the machine's own C library if it is new enough, otherwise with the bundle's."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        if not (self.folder / "bin").is_dir():
            raise FileNotFoundError(f"{self.folder} is not an unpacked bundle of tools/gpu_bundle.sh: it has no folder bin")
        own = [path for path in os.environ.get("LD_LIBRARY_PATH", "").split(":") if path]
        search = [str(self.folder / "lib"), *own, *library_folders()]
        self.loader = []
        self.env = {"LD_LIBRARY_PATH": ":".join(search), "UMBRA_GOLDENS": str(self.folder / "goldens"),
                    "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "1000")}
        loaders = glob.glob(str(self.folder / "glibc" / "ld-linux-*.so.*"))
        if loaders and not self._starts():
            search.insert(0, str(self.folder / "glibc"))
            self.loader = [loaders[0], "--library-path", ":".join(search)]
            del self.env["LD_LIBRARY_PATH"]  # python3 and bash started by a program keep the machine's C library

    def _starts(self):
        try:
            return subprocess.run(self.command("machine", "--version"), env={**os.environ, **self.env}, timeout=20,
                                  capture_output=True).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    def command(self, program, *arguments):
        return [*self.loader, str(self.folder / "bin" / program), *map(str, arguments)]

    def commit(self):
        path = self.folder / "commit"
        return path.read_text().strip() if path.exists() else "unknown"
