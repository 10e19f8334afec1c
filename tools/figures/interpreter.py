"""Finds a Python that has the packages of the figures, for a command that was started with one that lacks them."""
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig

PACKAGES = ("matplotlib", "numpy", "h5py")
CHOSEN = "UMBRA_PLOT_PYTHON"  # in the environment of the Python that was chosen, which does not search again


def candidates():
    """Pythons to try: of the active virtual environment, of one in this folder, on the PATH, of the system."""
    active = os.environ.get("VIRTUAL_ENV")
    folders = [os.path.join(place, "bin") for place in ([active] if active else []) + [".venv", "venv"]]
    folders += os.environ.get("PATH", "").split(os.pathsep) + ["/usr/bin"]
    pythons = [os.path.abspath(os.path.join(folder, "python3")) for folder in folders if folder]
    return [python for python in dict.fromkeys(pythons) if os.access(python, os.X_OK) and python != sys.executable]


def has_packages(python):
    try:
        return subprocess.run([python, "-c", f"import {', '.join(PACKAGES)}"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def install_command():
    """The command that installs the packages where candidates() or the running Python finds them."""
    if sys.prefix == sys.base_prefix:  # not a virtual environment
        if shutil.which("apt-get"):
            return ("" if os.geteuid() == 0 else "sudo ") + "apt-get install python3-matplotlib python3-h5py"
        if os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")):
            return f"{shlex.quote(sys.executable)} -m venv .venv && .venv/bin/pip install matplotlib h5py"
    return f"{shlex.quote(sys.executable)} -m pip install matplotlib h5py"


def continue_elsewhere(missing, pythons):
    """Runs the command again with the first of `pythons` that has the packages, or ends with an error message."""
    for python in pythons if CHOSEN not in os.environ else []:
        if has_packages(python):
            os.execve(python, [python, *sys.argv], {**os.environ, CHOSEN: python})
    sys.exit(f"plot.py: {sys.executable} lacks the module {missing}, and no other Python with {', '.join(PACKAGES)} "
             f"was found; this command installs them: {install_command()}")
