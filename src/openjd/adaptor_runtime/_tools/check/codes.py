"""What ``openjd-adaptor check`` can find: the codes, which never change their meaning."""

from __future__ import annotations

from typing import NamedTuple

ERROR = "error"
WARNING = "warning"


class Code(NamedTuple):
    """A kind of finding."""

    severity: str
    #: What is wrong, in general; a finding's message says what it is in particular.
    title: str
    #: How to mend it, unless the finding knows better.
    mend: str


#: By the letter: what they are about.
GROUPS = {
    "A": "Import and entry point",
    "B": "The adaptor's class",
    "C": "The client",
    "D": "Descriptions in TOML",
    "E": "The dry run",
    "G": "Configuration",
    "P": "The package",
    "R": "Output rules and callbacks",
    "S": "Schemas and data",
    "T": "The job template",
}

CODES: dict[str, Code] = {
    # Import and entry point.
    "A101": Code(
        ERROR,
        "the adaptor cannot be imported",
        "make the import succeed in the environment in which the adaptor runs",
    ),
    "A102": Code(
        ERROR,
        "the import does not end",
        "do at import nothing that waits; start things in on_start",
    ),
    "A103": Code(
        ERROR,
        "the import ends the process",
        "call neither sys.exit nor os._exit at import; raise an exception if you must",
    ),
    "A104": Code(
        WARNING,
        "the import prints",
        "remove the print: every command of the adaptor shows it, and a scheduler reads it",
    ),
    "A105": Code(
        WARNING,
        "the import starts threads",
        "start threads in on_start, and end them in on_cleanup",
    ),
    "A106": Code(
        ERROR,
        "the import starts processes",
        "start processes in on_start, with LoggingSubprocess, so that they end with the session",
    ),
    "A107": Code(
        ERROR,
        "there is no adaptor",
        "name a class that is derived from ApplicationAdaptor, CommandLineAdaptor or Adaptor: "
        'EntryPoint("package.module:Class")',
    ),
    "A108": Code(
        ERROR,
        "the package has no __main__.py",
        "add a __main__.py that starts the entry point: the daemon is started with "
        "python -m PACKAGE",
    ),
    "A109": Code(
        ERROR,
        "__main__ does not start the entry point",
        'have it call EntryPoint("package.module:Class").start()',
    ),
    "A110": Code(
        WARNING,
        "the entry point is given the class instead of its name",
        'write EntryPoint("package.module:Class"): the commands of a task need not import the '
        "adaptor then",
    ),
    # The class.
    "B201": Code(
        ERROR,
        "something that the adaptor must define is missing",
        "define it in the adaptor's class",
    ),
    "B202": Code(
        ERROR,
        "integration_data_interface_version is no version",
        "write integration_data_interface_version = SemanticVersion(major=0, minor=1)",
    ),
    "B203": Code(
        ERROR,
        "a method does not take what it is called with",
        "give it the parameters of the method that it overrides",
    ),
    "B204": Code(
        ERROR,
        "a method would not run when it is called",
        "make it a plain method: without async, and without yield",
    ),
    "B205": Code(
        WARNING,
        "a name looks like a misspelt one of the runtime's",
        "rename it, or give it a name that is less like it",
    ),
    "B206": Code(ERROR, "an attribute has a value that cannot be used", "give it a usable value"),
    "B207": Code(
        ERROR,
        "an adaptor cannot be made of the class",
        "let __init__ take (init_data, **options), call super().__init__(init_data, **options), "
        "and leave to on_start what needs data",
    ),
    "B208": Code(
        ERROR,
        "a command line is a text",
        'return a list, such as ["blender", "--background"]: no shell splits a text',
    ),
    "B209": Code(
        WARNING,
        "command() does not hand over the client script",
        "have the application's Python run self.client_script; the client cannot connect otherwise",
    ),
    # The client.
    "C601": Code(ERROR, "the client does not exist", "name a file beside the adaptor's module"),
    "C602": Code(ERROR, "the client is no Python", "mend the syntax"),
    "C603": Code(
        WARNING,
        "the client needs a newer Python than the application may have",
        "write it for the oldest Python among the versions of the application; if that is newer, "
        "say so with --application-python",
    ),
    "C604": Code(
        ERROR,
        "the client imports the runtime",
        "import from openjd.adaptor_runtime_client: the application has nothing else",
    ),
    "C605": Code(
        ERROR,
        "the client imports what only the adaptor's environment has",
        "do without it, or do that work in the adaptor; if the application does bring it, say so "
        "with --application-module",
    ),
    "C606": Code(
        ERROR,
        "the client imports a file that it cannot find",
        "put it into the client's file, or make the client a folder with a __main__.py: what is "
        "beside that can be imported",
    ),
    "C607": Code(
        ERROR,
        "the adaptor calls an action that the client does not have",
        "mark the client's method with @action, and call it by its name",
    ),
    "C608": Code(
        ERROR,
        "an action is called with the wrong arguments",
        "give each parameter of the action by its name",
    ),
    "C609": Code(
        ERROR,
        "the client is never run",
        "call its run() at the end of the file: MyClient.run()",
    ),
    "C610": Code(
        ERROR,
        "an argument of an action has the wrong type",
        "give a value that suits the annotation in the client",
    ),
    "C611": Code(
        ERROR,
        "the client does not say its application's version",
        "set version in the client's class: minimum_version is compared with it",
    ),
    "C612": Code(
        ERROR,
        "an action's method has a name that ApplicationClient needs itself",
        'rename the method; @action(name="...") gives it any name for the adaptor',
    ),
    # Descriptions.
    "D901": Code(ERROR, "the description cannot be read", "make it a file in TOML, in UTF-8"),
    "D902": Code(ERROR, "a key of the description is not valid", "see docs/commands-in-toml.md"),
    "D903": Code(
        ERROR,
        "a command, an output or a variable of the description is not valid",
        "use the fields of init_data and run_data, as {name}; what may be left out belongs into a "
        "list of its own",
    ),
    "D904": Code(
        ERROR, "a field of the description is not valid", "make it a table with a JSON Schema"
    ),
    "D905": Code(ERROR, "a rule of the description is not valid", "mend the rule"),
    "D906": Code(
        ERROR, "a limit of the description is not valid", "use a known limit, and a number"
    ),
    "D907": Code(
        ERROR,
        "the chunk of the description is not valid",
        "name a field of run_data that is needed, and by = 'number' or 'block'",
    ),
    "D908": Code(
        WARNING,
        "a field is described and never used",
        "use it in the command, or remove it",
    ),
    # The dry run.
    "E151": Code(
        ERROR,
        "daemon start fails",
        "see the message; --init-data, or init-data in pyproject.toml, gives it other data",
    ),
    "E152": Code(ERROR, "daemon stop fails", "see the message"),
    "E153": Code(
        ERROR,
        "the dry run does not end",
        "wait only for what comes in every session; --limit gives it more time",
    ),
    "E154": Code(
        ERROR,
        "something outlives the session",
        "end in on_stop or on_cleanup what on_start has started; start processes with "
        "LoggingSubprocess",
    ),
    "E155": Code(
        WARNING,
        "the dry run fails, perhaps only because of the fake application",
        "try it with the application; an action's return annotation tells the fake what to answer",
    ),
    # Configuration.
    "G401": Code(
        ERROR,
        "the packaged configuration is not valid",
        "mend the file, or the schema beside it",
    ),
    "G402": Code(ERROR, "the configuration's schema is not valid", "mend the schema"),
    "G403": Code(
        ERROR,
        "the packaged configuration does not suit the adaptor's rules",
        "use the ids of the adaptor's rules, and severities that they can have",
    ),
    "G404": Code(
        WARNING,
        "a file looks like the configuration and is not read",
        "name it after the adaptor's class",
    ),
    # The package.
    "P701": Code(
        WARNING,
        "requires-python does not say what the runtime needs",
        'write requires-python = ">=3.9"',
    ),
    "P702": Code(
        ERROR,
        "the runtime is not among the dependencies",
        'add "openjd-adaptor-runtime >= 0.9.7" to dependencies',
    ),
    "P703": Code(
        ERROR,
        "the dependencies exclude this runtime",
        'write "openjd-adaptor-runtime >= 0.9.7, < 0.10"',
    ),
    "P704": Code(
        WARNING,
        "the dependencies allow a runtime that lacks what the adaptor uses",
        'write "openjd-adaptor-runtime >= 0.9.7"',
    ),
    "P705": Code(
        ERROR,
        "there may be no reader for TOML",
        'write "openjd-adaptor-runtime[toml] >= 0.9.7": Python has one only since 3.11',
    ),
    "P706": Code(
        ERROR,
        "the console command leads nowhere",
        'name a function that exists: "package.module:function"',
    ),
    "P708": Code(
        WARNING,
        "there is no console command",
        "add one to [project.scripts], for job templates to name",
    ),
    "P709": Code(
        WARNING,
        "files that the adaptor needs may be missing in its wheel",
        "name them in [tool.setuptools.package-data]",
    ),
    "P710": Code(ERROR, "pyproject.toml cannot be read", "mend the file"),
    "P711": Code(
        WARNING,
        "a setting in [tool.openjd-adaptor.check] cannot be used",
        "there are ignore, application-python, application-modules and init-data",
    ),
    # Rules.
    "R501": Code(ERROR, "a pattern cannot be compiled", "mend the regular expression"),
    "R502": Code(
        ERROR,
        "a Progress rule has the wrong groups",
        "use one group for the percentage, or two for done and total, or groups with these names",
    ),
    "R503": Code(
        ERROR,
        "the text of a rule cannot be filled",
        "use groups that the pattern has, and {{ for a brace",
    ),
    "R504": Code(
        ERROR,
        "a pattern can run away",
        "do not repeat what contains repeats or can begin alike: (a+)+, (a|a)*; what cannot be "
        "decided in time fails the task",
    ),
    "R505": Code(
        WARNING,
        "a pattern is slow on long lines",
        "begin it with ^, and have as few .* in it as you can",
    ),
    "R506": Code(
        ERROR,
        "the rules are not a list of rules",
        "write rules = (Fail(...),): with a comma behind the last one, and ids of their own",
    ),
    "R507": Code(
        ERROR,
        "a callback cannot be called with a match",
        "give it one parameter, the match: def on_line(self, match)",
    ),
    "R508": Code(
        ERROR,
        "a pattern is found in every line",
        "have it begin with the words that the lines have in common",
    ),
    # Schemas.
    "S301": Code(
        ERROR,
        "a schema is missing",
        "put init_data.schema.json and run_data.schema.json into the folder data_schemas",
    ),
    "S302": Code(ERROR, "a schema is no JSON object", "mend the file"),
    "S303": Code(ERROR, "a schema is no valid JSON Schema", "mend the schema"),
    "S304": Code(
        WARNING,
        "a schema has a word that says nothing",
        "spell it as JSON Schema does; unknown words are ignored without a message",
    ),
    "S305": Code(
        ERROR,
        "no data can fit the schema",
        "add the field to properties, or take it out of required",
    ),
    "S306": Code(
        ERROR,
        "what is marked as a path is no text",
        'put "format": "path" on what has "type": "string" (on the items of a list)',
    ),
    "S307": Code(
        WARNING,
        "a field looks like a path and is not marked as one",
        'add "format": "path", so that path mapping rules apply; another "format" says that it '
        "is none",
    ),
    "S308": Code(
        WARNING,
        "the schema does not decide about unknown fields",
        'write "additionalProperties": false (a misspelt field is refused) or true (fields of '
        "newer jobs are tolerated)",
    ),
    "S309": Code(
        ERROR,
        "a default or an example does not fit its own schema",
        "mend the value or the schema",
    ),
    "S310": Code(
        ERROR,
        "the adaptor reads a field that the schema refuses",
        "add the field to the schema, or read the one that is there",
    ),
    "S311": Code(
        WARNING,
        "the adaptor needs a field that may be left out",
        "read it with .get(), or add it to required",
    ),
    # The template.
    "T801": Code(ERROR, "the job template is not valid", "mend the template"),
    "T802": Code(
        ERROR,
        "the job template calls a command that the package does not have",
        "call a command of [project.scripts]",
    ),
    "T803": Code(
        ERROR,
        "the job template calls the adaptor with wrong arguments",
        "see docs/command-line.md",
    ),
    "T804": Code(
        ERROR,
        "the job template's data does not fit the schema",
        "give the fields that the schema has",
    ),
    "T805": Code(
        WARNING,
        "the job template starts the adaptor and does not stop it",
        "call daemon stop in the environment's onExit",
    ),
}


def is_code(text: str) -> bool:
    """Whether it is a code, or the beginning of one."""
    return any(code.startswith(text) for code in CODES)
