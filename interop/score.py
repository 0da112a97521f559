"""Prints the scores of the suites that run.sh ran, and fails on a failing check that explained.txt does not explain.

Usage: score.py OUTPUT-OF-scim2-tester JSON-OF-scim-sanity explained.txt
"""

import json
import re
import sys

RESULT = re.compile(r"^(SUCCESS|COMPLIANT|ACCEPTABLE|SKIPPED|DEVIATION|ERROR|CRITICAL|UNEXPECTED)\s+(.*)$")
PASSED = {"SUCCESS", "COMPLIANT", "ACCEPTABLE"}


def read_tester(path):
    """Yields (title, outcome, reason) of each check in the text that scim2-cli prints."""
    check = None
    for line in re.sub(r"\x1b\[[0-9;]*m", "", open(path, encoding="utf-8").read()).splitlines():
        found = RESULT.match(line)
        if found:
            if check:
                yield tuple(check)
            check = [found[2], "pass" if found[1] in PASSED else "skip" if found[1] == "SKIPPED" else "fail", ""]
        elif check and line.startswith("  "):
            check[2] += line.strip()
    if check:
        yield tuple(check)


def read_sanity(path):
    """Yields (title, outcome, reason) of each check in the JSON that scim-sanity prints."""
    text = open(path, encoding="utf-8").read()
    decoder, at, report = json.JSONDecoder(), 0, {}
    while (at := text.find("{", at)) >= 0:  # a warning object stands before the report
        report, at = decoder.raw_decode(text, at)
    for r in report["results"]:
        outcome = {"pass": "pass", "fail": "fail", "error": "fail", "warn": "fail"}.get(r["status"].lower(), "skip")
        yield r["name"], outcome, r.get("message", "")


def read_explained(path):
    """Returns [(suite, title, part of what was said, why)]."""
    out = []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if line.strip() and not line.startswith("#"):
            parts = [p.strip() for p in line.split(" | ")]
            if len(parts) != 4:
                sys.exit(f"interop: {path} line {number} is not: suite | check | said | why")
            out.append(tuple(parts))
    return out


def main():
    tester, sanity, explained_path = sys.argv[1:]
    explained = read_explained(explained_path)
    used, unexplained = set(), 0
    for suite, checks in (("scim2-tester", list(read_tester(tester))), ("scim-sanity", list(read_sanity(sanity)))):
        if not checks:
            sys.exit(f"interop: {suite} reported no check at all")
        count = {"pass": 0, "fail": 0, "skip": 0}
        for title, outcome, reason in checks:
            count[outcome] += 1
            if outcome != "fail":
                continue
            rule = next((e for e in explained if e[:2] == (suite, title) and e[2] in reason), None)
            used.add(rule)
            unexplained += rule is None
            print(f"{suite}: FAIL {title}\n    said: {reason[:400]}\n    why:  {rule[3] if rule else 'NOT EXPLAINED'}")
        print(f"{suite}: {count['pass']} passed, {count['fail']} failed, {count['skip']} skipped")
    for rule in explained:
        if rule not in used:
            print(f"note: explained.txt still explains {' | '.join(rule[:3])}, which passes now")
    sys.exit(1 if unexplained else 0)


main()
