#!/usr/bin/env bash
# Runs `provost verify --as all` against SCIM servers that others wrote and prints the scores. The failing cases of
# each were read and confirmed by hand as the server's own fault; they are listed in confirmed/, one a line with the
# reason. A failure that is not listed makes this fail: it is a change of the server, or a false accusation.
# Needs: Go, python3 with venv, Node.js, and the Python and npm package indexes.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
servers=()
cleanup() { for p in "${servers[@]}"; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"; }
trap cleanup EXIT

echo "interop: building provost and installing the servers of interop/servers" >&2
go build -o "$work/provost" ./cmd/provost
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install -r interop/servers/requirements.txt
cp interop/servers/*.js interop/servers/package.json "$work/"
(cd "$work" && npm install --no-audit --no-fund --silent >&2)

free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { for _ in $(seq 150); do curl -s -o /dev/null "$1" && return; sleep 0.1; done; echo "interop: $1 does not answer" >&2; exit 1; }

port=$(free)
"$work/venv/bin/scim2-server" --bearer-token interop-token --port "$port" >"$work/scim2-server.log" 2>&1 &
servers+=($!)
url=http://127.0.0.1:$port/v2
echo interop-token >"$work/token"
wait_for "$url/ServiceProviderConfig"
"$work/provost" verify "$url" --token-file "$work/token" --as all -o json >"$work/scim2-server.json" 2>/dev/null || true

port=$(free)
node "$work/scimmy.js" "$port" interop-token >"$work/scimmy.log" 2>&1 &
servers+=($!)
url=http://127.0.0.1:$port/scim
wait_for "$url/ServiceProviderConfig"
"$work/provost" verify "$url" --token-file "$work/token" --as all -o json >"$work/scimmy.json" 2>/dev/null || true

port=$(free)
node "$work/polis.js" "$port" >"$work/polis.log" 2>&1 &
servers+=($!)
wait_for "http://127.0.0.1:$port/"
read -r url token < <(python3 -c 'import json, sys; c = json.loads(open(sys.argv[1]).read().splitlines()[-1]); print(c["url"], c["token"])' "$work/polis.log")
echo "$token" >"$work/polis.token"
"$work/provost" verify "$url" --token-file "$work/polis.token" --as all -o json >"$work/polis.json" 2>/dev/null || true

python3 interop/confirm.py "$work" interop/confirmed
