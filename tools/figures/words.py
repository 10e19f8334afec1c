"""The command line of plot.py: a misspelt command or option gets the nearest one."""
import argparse
import difflib
import sys


def meant(word, known):
    plain = {name.lstrip("-"): name for name in known}
    near = difflib.get_close_matches(word.lstrip("-"), plain, 1, 0.6)
    return f"; did you mean '{plain[near[0]]}'?" if near else ""


class Parser(argparse.ArgumentParser):
    """Options in full only; its subcommands are parsers of the same kind."""
    commands = {}  # parsers by name

    def __init__(self, *names, **options):
        super().__init__(*names, add_help=False, allow_abbrev=False, **options)
        self.add_argument("-h", "--help", action="help", help="print this help and exit")

    def error(self, message):
        given = [word.partition("=")[0] for word in sys.argv[1:]]
        command = next((word for word in given if not word.startswith("-")), "")
        if command and command not in self.commands:
            message = (f"there is no command {command}, only {', '.join(self.commands)}" +
                       meant(command, self.commands))
        else:
            known = self.commands.get(command, self)._option_string_actions
            wrong = next((word for word in given if word.startswith("--") and word not in known), None)
            message = f"there is no option {wrong}{meant(wrong, known)}" if wrong else message
        super().error(message)
