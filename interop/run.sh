#!/usr/bin/env bash
# Runs conformance suites that we did not write against a Provost of its own, on SQLite, and prints their scores.
# Every failing check must be explained in explained.txt; one that is not makes this fail.
# Needs: Go, python3 with venv, and the Python package index.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=
cleanup() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; [ -n "${KEEP:-}" ] || rm -rf "$work"; }
trap cleanup EXIT

echo "interop: building provost and installing the suites of interop/requirements.txt" >&2
go build -o "$work/provost" ./cmd/provost
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install -r interop/requirements.txt

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/provost" tenant create interop --data "$work/data" >/dev/null
"$work/provost" client create suites --tenant interop --rate 0 --data "$work/data" >"$work/token" 2>/dev/null
"$work/provost" serve --data "$work/data" --listen "127.0.0.1:$port" --ops-listen "" 2>"$work/log" &
server=$!
url="http://127.0.0.1:$port/t/interop/scim/v2"
token=$(cat "$work/token")
for _ in $(seq 100); do
	curl -fsS -o /dev/null -H "Authorization: Bearer $token" "$url/ServiceProviderConfig" 2>/dev/null && break
	sleep 0.1
done

SCIM_CLI_HEADERS="Authorization: Bearer $token" "$work/venv/bin/scim" --url "$url" test >"$work/scim2-tester.txt" 2>&1 || true
"$work/venv/bin/scim-sanity" probe "$url" --token "$token" --i-accept-side-effects --json-output >"$work/scim-sanity.json" 2>"$work/scim-sanity.err" || true

python3 interop/score.py "$work/scim2-tester.txt" "$work/scim-sanity.json" interop/explained.txt
