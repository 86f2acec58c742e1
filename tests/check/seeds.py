"""Mistakes, each a small change of a healthy adaptor, and the code by which each is found."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

HEALTHY = Path(__file__).parent / "healthy"
APPLICATION, COMMAND, PLAIN = "application", "command", "plain"
KINDS = (APPLICATION, COMMAND, PLAIN)


class Seed(NamedTuple):
    """A mistake."""

    name: str
    kind: str
    code: str
    #: Below the folder of the kind.
    file: str
    #: What stands there; "" for a file that is new.
    old: str
    new: str
    #: Whether the default suite tries it.
    always: bool = False
    #: Whether it takes a session to see it.
    by_dry_run: bool = False

    def plant(self, folder: Path) -> Path:
        """Makes the broken adaptor in `folder`, and returns its folder."""
        project = folder / self.kind
        shutil.copytree(HEALTHY / self.kind, project)
        path = project / self.file
        if not self.old:
            path.write_text(self.new, encoding="utf-8")
            return project
        if not self.new and self.old == "*":
            path.unlink()
            return project
        text = path.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, (
            f"{self.name}: {self.old!r} is there {text.count(self.old)} times"
        )
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return project


_MAIN, _INIT = "engraver/__main__.py", "engraver/__init__.py"
_ADAPTOR, _CLIENT = "engraver/adaptor.py", "engraver/client.py"
_INIT_DATA = "engraver/schemas/init_data.schema.json"
_RUN_DATA = "engraver/schemas/run_data.schema.json"
_CONFIG = "engraver/EngraverAdaptor.json"
_TOML, _PROJECT, _TEMPLATE = "shrinker/adaptor.toml", "pyproject.toml", "template.yaml"
_PLOTTER = "plotter/adaptor.py"
_VERSION = "    integration_data_interface_version = SemanticVersion(major=1, minor=0)\n"

SEEDS = (
    # Import and entry point.
    Seed("a module that is not there", APPLICATION, "A101", _ADAPTOR,
         "from typing import Any\n", "from typing import Any\n\nimport engraving_tools\n"),
    Seed("a syntax error", APPLICATION, "A101", _ADAPTOR,
         "def on_start(self) -> None:", "def on_start(self) -> None", True),
    Seed("an import that hangs", APPLICATION, "A102", _INIT,
         "def main()", "import threading\n\nthreading.Event().wait()\n\n\ndef main()", True),
    Seed("an import that exits", PLAIN, "A103", "plotter/__init__.py",
         "", "import os\n\nos._exit(3)\n"),
    Seed("an import that says goodbye", PLAIN, "A103", _PLOTTER,
         "class PlotterAdaptor", "raise SystemExit('no plotter')\n\n\nclass PlotterAdaptor"),
    Seed("an import that prints", APPLICATION, "A104", _ADAPTOR,
         "class EngraverAdaptor", "print('loaded')\n\n\nclass EngraverAdaptor", True),
    Seed("an import that starts a thread", PLAIN, "A105", _PLOTTER,
         "class PlotterAdaptor",
         "import threading\n\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
         "\n\n\nclass PlotterAdaptor"),
    Seed("an import that starts a process", PLAIN, "A106", _PLOTTER,
         "class PlotterAdaptor",
         "import subprocess\nimport sys\n\n"
         "_helper = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)"
         "\n\n\nclass PlotterAdaptor", True),
    Seed("a misspelt class", APPLICATION, "A107", _INIT, ":EngraverAdaptor", ":EngraverAdapter"),
    Seed("a class of its own", PLAIN, "A107", _PLOTTER,
         "class PlotterAdaptor(Adaptor):", "class PlotterAdaptor:"),
    Seed("no __main__", APPLICATION, "A108", _MAIN, "*", "", True),
    Seed("a __main__ that forgets to start", APPLICATION, "A109", _MAIN, "\nmain()\n", "\n"),
    Seed("an entry point that is not started", APPLICATION, "A109", _INIT, ").start()", ")"),
    Seed("an entry point by its class", PLAIN, "A110", "plotter/__main__.py",
         'EntryPoint("plotter.adaptor:PlotterAdaptor").start()',
         "from plotter.adaptor import PlotterAdaptor\n\n    EntryPoint(PlotterAdaptor).start()",
         True),
    # The class.
    Seed("no on_run", PLAIN, "B201", _PLOTTER, "def on_run(", "def run(", True),
    Seed("no command", APPLICATION, "B201", _ADAPTOR, "def command(", "def start_command("),
    Seed("no client", APPLICATION, "B201", _ADAPTOR, '    client = "client.py"\n', ""),
    Seed("no version", APPLICATION, "B202", _ADAPTOR, _VERSION, ""),
    Seed("a version that is text", APPLICATION, "B202", _ADAPTOR,
         "SemanticVersion(major=1, minor=0)", '"1.0"'),
    Seed("a version without @property", PLAIN, "B202", _PLOTTER, "    @property\n", ""),
    Seed("on_run without data", PLAIN, "B203", _PLOTTER,
         "def on_run(self, run_data: dict[str, Any]) -> None:",
         "def on_run(self) -> None:\n        run_data = {\"sheet\": \"\"}"),
    Seed("on_start with data", APPLICATION, "B203", _ADAPTOR,
         "def on_start(self)", "def on_start(self, init_data)", True),
    Seed("on_start that is async", APPLICATION, "B204", _ADAPTOR,
         "def on_start(self)", "async def on_start(self)"),
    Seed("on_run with a yield", PLAIN, "B204", _PLOTTER,
         'code = self._plot(run_data["sheet"]', 'code = yield self._plot(run_data["sheet"]'),
    Seed("a misspelt on_cancel", PLAIN, "B205", _PLOTTER, "on_cancel", "on_cancle", True),
    Seed("a misspelt attribute", APPLICATION, "B205", _ADAPTOR,
         '    minimum_version = "2.1"', '    minimum_verison = "2.1"'),
    Seed("limits that are a dict", APPLICATION, "B206", _ADAPTOR,
         "Limits(silence=600)", '{"silence": 600}'),
    Seed("a limit below 0", APPLICATION, "B206", _ADAPTOR,
         "Limits(silence=600)", "Limits(silence=-1)"),
    Seed("an exit code that is no list", APPLICATION, "B206", _ADAPTOR, "(0, 3)", "3"),
    Seed("__init__ that takes too little", PLAIN, "B207", _PLOTTER,
         "init_data: dict[str, Any], **options: Any) -> None:\n        super().__init__(init_data, "
         "**options)",
         "init_data: dict[str, Any]) -> None:\n        super().__init__(init_data)"),
    Seed("__init__ without super", PLAIN, "B207", _PLOTTER,
         "        super().__init__(init_data, **options)\n",
         "        self.init_data = init_data\n"),
    Seed("__init__ that needs data", PLAIN, "B207", _PLOTTER,
         "        self._process: LoggingSubprocess | None = None\n",
         "        self._process: LoggingSubprocess | None = None\n"
         '        self.paper = init_data["paper"]\n'),
    Seed("a command line that is text", APPLICATION, "B208", _ADAPTOR,
         'return [program, "--quiet", "--python", self.client_script]',
         'return f"{program} --python {self.client_script}"'),
    Seed("a command that runs no client", APPLICATION, "B209", _ADAPTOR,
         '"--quiet", "--python", self.client_script]', '"--quiet"]'),
    # The client.
    Seed("a client that is elsewhere", APPLICATION, "C601", _ADAPTOR, '"client.py"', '"clent.py"'),
    Seed("a client that is no Python", APPLICATION, "C602", _CLIENT,
         "raise FileNotFoundError(plate)", "raise FileNotFoundError(plate"),
    Seed("a client for Python 3.8", APPLICATION, "C603", _CLIENT,
         "if not os.path.exists(plate):", "if not (found := os.path.exists(plate)):"),
    Seed("a client that matches", APPLICATION, "C603", _CLIENT,
         "        self.plate = engraver_api.load(plate, depth)\n",
         "        match depth:\n            case _:\n"
         "                self.plate = engraver_api.load(plate, depth)\n"),
    Seed("a client that reads TOML", APPLICATION, "C603", _CLIENT,
         "import os\n", "import os\nimport tomllib\n"),
    Seed("a client with the runtime", APPLICATION, "C604", _CLIENT,
         "import os\n", "import os\n\nfrom openjd.adaptor_runtime.adaptors import IntRange\n"),
    Seed("a client with YAML", APPLICATION, "C605", _CLIENT,
         "import os\n", "import os\n\nimport yaml\n", True),
    Seed("a client with a neighbour", APPLICATION, "C606", _CLIENT,
         "import os\n", "import os\n\nfrom engraver.adaptor import EngraverAdaptor\n"),
    Seed("a client with a relative import", APPLICATION, "C606", _CLIENT,
         "import os\n", "import os\n\nfrom . import adaptor\n"),
    Seed("a misspelt action", APPLICATION, "C607", _ADAPTOR,
         '"engrave", timeout', '"engave", timeout', True),
    Seed("a misspelt argument", APPLICATION, "C608", _ADAPTOR,
         "output=self._path(frame))", "ouput=self._path(frame))", True),
    Seed("a missing argument", APPLICATION, "C608", _ADAPTOR,
         ", frame=frame, output=self._path(frame))", ", frame=frame)"),
    Seed("an argument without a name", APPLICATION, "C608", _ADAPTOR,
         '"load", plate=self', '"load", self'),
    Seed("a client that is not run", APPLICATION, "C609", _CLIENT,
         "\n\nEngraverClient.run()\n", ""),
    Seed("an argument of another type", APPLICATION, "C610", _ADAPTOR,
         "frame=frame, output", 'frame="1", output'),
    Seed("a client without a version", APPLICATION, "C611", _CLIENT,
         "    version = engraver_api.version\n", ""),
    Seed("an action that is called close", APPLICATION, "C612", _CLIENT,
         "    @action(name=\"engrave\")\n    def do_engrave(",
         "    @action\n    def status(self, text: str) -> None:\n        \"\"\"Say it.\"\"\"\n\n"
         "    @action(name=\"engrave\")\n    def do_engrave("),
    # Configuration.
    Seed("a configuration that is no JSON", APPLICATION, "G401", _CONFIG, '"INFO",', '"INFO"'),
    Seed("a limit that is not there", APPLICATION, "G401", _CONFIG, '"start": 300', '"begin": 300',
         True),
    Seed("a setting that does not fit", APPLICATION, "G401", _CONFIG,
         '"needles": 3', '"needles": 0'),
    Seed("a schema of the configuration that is none", APPLICATION, "G402",
         "engraver/EngraverAdaptor.schema.json", '"type": "integer"', '"type": "int"'),
    Seed("a rule that is not there", APPLICATION, "G403", _CONFIG,
         '"needle": "ignore"', '"nedle": "ignore"'),
    Seed("a configuration by another name", PLAIN, "G404", "plotter/PloterAdaptor.json",
         "", '{"log_level": "INFO"}\n'),
    # The package.
    Seed("no requires-python", PLAIN, "P701", _PROJECT, 'requires-python = ">=3.9"\n', ""),
    Seed("a Python that is too old", PLAIN, "P701", _PROJECT, '">=3.9"', '">=3.6"'),
    Seed("no dependency", PLAIN, "P702", _PROJECT, "openjd-adaptor-runtime >= 0.9.7", "PyYAML"),
    Seed("a pin that excludes", PLAIN, "P703", _PROJECT, ">= 0.9.7", "== 0.8.*", True),
    Seed("a pin that is too wide", APPLICATION, "P704", _PROJECT, ">= 0.9.7", ">= 0.9.4, < 0.10"),
    Seed("no reader for TOML", COMMAND, "P705", _PROJECT, "runtime[toml]", "runtime"),
    Seed("a console command to nowhere", APPLICATION, "P706", _PROJECT,
         '"engraver:main"', '"engraver:mian"', True),
    Seed("a console command that is no function", COMMAND, "P706", "shrinker/__init__.py",
         ").start\n", ")\n"),
    Seed("no console command", PLAIN, "P708", _PROJECT,
         '[project.scripts]\nplotter-openjd = "plotter.__main__:main"\n', ""),
    Seed("a wheel without its data", COMMAND, "P709", _PROJECT,
         '[tool.setuptools.package-data]\nshrinker = ["*.toml"]\n', ""),
    Seed("a project that is no TOML", PLAIN, "P710", _PROJECT, "[project]", "[project"),
    Seed("a setting that there is not", PLAIN, "P711", _PROJECT,
         "[project.scripts]",
         '[tool.openjd-adaptor.check]\nallow = ["yaml"]\n\n[project.scripts]'),
    # Rules and callbacks.
    Seed("a pattern that does not compile", APPLICATION, "R501", _ADAPTOR,
         r'^Pass (?P<name>\w+)"', r'^Pass (?P<name>\w+"', True),
    Seed("a pattern in TOML that does not compile", COMMAND, "R501", _TOML,
         r"'^FATAL: (.*)'", r"'^FATAL: (.*'"),
    Seed("a callback's pattern that does not compile", PLAIN, "R501", _PLOTTER,
         '"^pen down"', '"^pen [down"'),
    Seed("progress without a group", APPLICATION, "R502", _ADAPTOR,
         r"^Line (\d+) of (\d+)$", r"^Line \d+ of \d+$"),
    Seed("progress in TOML with three groups", COMMAND, "R502", _TOML,
         r"'^(\d+)%'", r"'^(\d+)(\.)(\d+)%'"),
    Seed("a text with a group that is not there", APPLICATION, "R503", _ADAPTOR,
         '"needle {1} is blunt"', '"needle {2} is blunt"'),
    Seed("a rule that runs away", APPLICATION, "R504", _ADAPTOR,
         r'r"needle (\d+) is blunt"', r'r"needle ((\d+)+)+ is blunt"', True),
    Seed("a callback that runs away", PLAIN, "R504", _PLOTTER,
         r"^plotted (\d+)%$", r"^plotted ((\d|\d\d)+)%$"),
    Seed("a slow pattern", APPLICATION, "R505", _ADAPTOR, r"^ERROR\b.*", r"ERROR.*in.*at.*line"),
    Seed("one rule for rules", APPLICATION, "R506", _ADAPTOR, 'id="pass"', 'id="lines"'),
    Seed("a callback without a parameter", PLAIN, "R507", _PLOTTER,
         "lambda match: self", "lambda: self"),
    Seed("a method that takes too much", PLAIN, "R507", _PLOTTER,
         "def _on_progress(self, match: re.Match[str])",
         "def _on_progress(self, match: re.Match[str], line: str)", True),
    Seed("a callback that is not there", PLAIN, "R507", _PLOTTER,
         "RegexCallback(progress, self._on_progress)", "RegexCallback(progress, self._on_progres)"),
    Seed("a rule for every line", APPLICATION, "R508", _ADAPTOR, r'r"^ERROR\b.*"', r'r".*"'),
    # Schemas and data.
    Seed("no schema for run data", APPLICATION, "S301", _RUN_DATA, "*", ""),
    Seed("a schema that is no JSON", PLAIN, "S302", "plotter/schemas/init_data.schema.json",
         '"required": ["paper"],', '"required": ["paper"]'),
    Seed("a type that there is not", APPLICATION, "S303", _INIT_DATA,
         '"type": "number"', '"type": "float"'),
    Seed("a reference to nothing", PLAIN, "S303", "plotter/schemas/init_data.schema.json",
         '{"enum": ["a4", "a3"]}', '{"$ref": "#/$defs/paper"}'),
    Seed("a misspelt word of a schema", APPLICATION, "S304", _INIT_DATA,
         "exclusiveMinimum", "exclusivMinimum"),
    Seed("a required field that is refused", APPLICATION, "S305", _INIT_DATA,
         '"required": ["plate_file",', '"required": ["quality", "plate_file",'),
    Seed("a number that is a path", APPLICATION, "S306", _INIT_DATA,
         '"type": "number",', '"type": "number", "format": "path",'),
    Seed("a path without its mark", APPLICATION, "S307", _INIT_DATA,
         '"output_dir": {"type": "string", "format": "path"}', '"output_dir": {"type": "string"}',
         True),
    Seed("a path in TOML without its mark", COMMAND, "S307", _TOML,
         'output_file = { type = "string", format = "path" }', 'output_file = { type = "string" }'),
    Seed("unknown fields undecided", PLAIN, "S308", "plotter/schemas/run_data.schema.json",
         '    "additionalProperties": true,\n', ""),
    Seed("a default of another type", APPLICATION, "S309", _RUN_DATA,
         '"default": "1"', '"default": 1'),
    Seed("a field that is not in the schema", APPLICATION, "S310", _ADAPTOR,
         'depth=self.init_data["depth"]', 'depth=self.init_data["dept"]', True),
    Seed("a field that may be left out", APPLICATION, "S311", _ADAPTOR,
         'self.init_data.get("program", "engraver")', 'self.init_data["program"]'),
    # The template.
    Seed("a template with a misspelt key", APPLICATION, "T801", _TEMPLATE,
         "parameterSpace:", "parameterSpaces:"),
    Seed("another command", APPLICATION, "T802", _TEMPLATE,
         "        onRun:\n          command: engraver-openjd",
         "        onRun:\n          command: engraver-opnjd", True),
    Seed("a misspelt option", APPLICATION, "T803", _TEMPLATE, "- --init-data", "- --initial-data"),
    Seed("init data that is refused", APPLICATION, "T804", _TEMPLATE,
         "                depth: 2", "                dept: 2"),
    Seed("run data that lacks something", APPLICATION, "T804", _TEMPLATE,
         "\"frames: '{{Task.Param.Frame}}'\"", "'{}'"),
    Seed("a field of no schema", PLAIN, "T804", _TEMPLATE, "- paper=a4", "- papers=a4"),
    Seed("an adaptor that is not stopped", APPLICATION, "T805", _TEMPLATE,
         "                - stop\n", "                - status\n"),
    # Descriptions.
    Seed("a description that is no TOML", COMMAND, "D901", _TOML, "[run_data]", "[run_data"),
    Seed("a misspelt key", COMMAND, "D902", _TOML, "exit_codes", "exit_code"),
    Seed("an unknown placeholder", COMMAND, "D903", _TOML,
         '"{input_file}", "{output_file}"', '"{inputfile}", "{output_file}"', True),
    Seed("an optional field outside of a list", COMMAND, "D903", _TOML,
         '["--codec", "{codec}"]', '"--codec={codec}"'),
    Seed("an output that is no field", COMMAND, "D903", _TOML,
         'outputs = ["{output_file}"]', 'outputs = ["{result}"]'),
    Seed("a field of no type", COMMAND, "D904", _TOML,
         'frames = { type = "string" }', 'frames = { type = "text" }'),
    Seed("a rule of no kind", COMMAND, "D905", _TOML, 'kind = "fail"', 'kind = "fatal"'),
    Seed("a misspelt limit", COMMAND, "D906", _TOML, "silence = 60", "silent = 60"),
    Seed("a chunk of no field", COMMAND, "D907", _TOML, 'field = "frames"', 'field = "frame"'),
    Seed("a field that is not used", COMMAND, "D908", _TOML,
         '["--codec", "{codec}"], ', ""),
    # What only a session shows.
    Seed("on_start that raises", APPLICATION, "E151", _ADAPTOR,
         '        """Load the plate."""\n',
         '        """Load the plate."""\n        self.plates = self.init_data.depth\n',
         True, True),
    Seed("on_start that calls what is not there", PLAIN, "E155", _PLOTTER,
         '        if self._plot("--warm-up") != 0:', "        if self._warm_up() != 0:",
         False, True),
    Seed("on_stop that raises", APPLICATION, "E152", _ADAPTOR,
         "    def outputs(",
         "    def on_stop(self) -> None:\n        raise RuntimeError('it does not stop')\n\n"
         "    def outputs(", False, True),
    Seed("on_start that hangs", APPLICATION, "E153", _ADAPTOR,
         '        """Load the plate."""\n',
         '        """Load the plate."""\n        __import__("threading").Event().wait()\n',
         False, True),
    Seed("a file that is left", APPLICATION, "E154", _ADAPTOR,
         '        """Load the plate."""\n',
         '        """Load the plate."""\n'
         '        __import__("tempfile").mkstemp(prefix="engraver-")\n',
         False, True),
)  # fmt: skip
