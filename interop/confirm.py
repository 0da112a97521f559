"""Prints how the servers of verify.sh did, and fails on a failing case that confirmed/ does not list.

Usage: confirm.py FOLDER-WITH-REPORTS confirmed/     (with --write: list what fails now, to be read and confirmed)
"""

import json
import pathlib
import sys


def failures(report):
    """Yields (case, what was expected and came) of each failing case."""
    for result in report["results"]:
        if result["outcome"] == "fail":
            finding = next(f for f in result["findings"] if f["level"] == "fail")
            text = f"expected {finding['expected']}; got {finding['got']}"
            yield result["name"], " ".join(text.split())[:240]


def main():
    reports, confirmed = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    unknown = 0
    for path in sorted(reports.glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(report, dict) or "results" not in report:
            continue
        name, found = path.stem, dict(failures(report))
        listed = confirmed / f"{name}.txt"
        if "--write" in sys.argv:
            listed.write_text("".join(f"{case} | {text}\n" for case, text in found.items()), encoding="utf-8")
        known = {line.split(" | ")[0] for line in listed.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")}
        print(f"{name}: {report['passed']} passed, {report['failed']} failed, {report['warned']} with warnings, "
              f"{report['skipped']} skipped, {report['requests']} requests in {report['ms'] / 1000:.1f} s")
        for case in sorted(found.keys() - known):
            unknown += 1
            print(f"    NOT CONFIRMED {case}: {found[case]}")
        for case in sorted(known - found.keys()):
            print(f"    passes now: {case}")
    sys.exit(1 if unknown else 0)


main()
