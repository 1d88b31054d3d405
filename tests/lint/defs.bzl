"""lint_test: a python_test that reads the whole tree."""

load("//tests:python.bzl", "python_test")

def lint_test(name, tools = [], size = "medium"):
    """Runs <name>.py.

    Args:
      name: of the test and its file.
      tools: programs; the test finds each in the environment as the upper-case file name.
      size: of the test.
    """
    python_test(
        name = name,
        size = size,
        data = [
            "tree.py",
            "//:WORKSPACE",
        ] + tools,
        env = {tool.split(":")[1].upper(): "$(rootpath %s)" % tool for tool in tools},
        main = name + ".py",
        tags = [
            "external",
            "local",
        ],
    )
