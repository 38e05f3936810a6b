#!/bin/sh
# Loads the released binary with flow pages, from outside and over HTTP, on a generated history.
#
#   tests/load/flow_pages.sh [FLOWS [RUNS_PER_FLOW [SECONDS [CONNECTIONS]]]]        defaults: 2000 500 30 16
#
# It builds the release, fills a temporary directory (some GB for a million runs), starts the server there, signs in with
# curl, and asks for the pages of all flows in turn: with wrk when it is installed, else with curl's own parallel
# transfers. It prints requests per second, the 50th and 99th percentile of the answers' times, and the server's
# resident memory before and after. Nothing is left behind. The figures depend on the machine; no test judges them.
set -eu

flows=${1:-2000} runs=${2:-500} seconds=${3:-30} connections=${4:-16}
password='correct horse battery'
cd "$(dirname "$0")/../.."
cargo build --release --locked --bin headgate
binary=${CARGO_TARGET_DIR:-target}/release/headgate
work=$(mktemp -d)
server=
clean_up() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null && wait "$server" || true; fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Nobody listens there: the server has nothing to read and finds that out at once.
export HEADGATE_DATA_DIR="$work/data" HEADGATE_LOG=warn
export HEADGATE_PLATFORM_URL=http://127.0.0.1:9 HEADGATE_IMS_URL=http://127.0.0.1:9
days=$((runs < 30 ? runs : 30))
echo "$password" | "$binary" generate-history --flows "$flows" --runs-per-flow "$runs" --days "$days" --login ana

listen=127.0.0.1:${LOAD_PORT:-8089} base=http://127.0.0.1:${LOAD_PORT:-8089}
"$binary" serve --listen "$listen" 2>"$work/log" &
server=$!
tries=0
until curl -fsS -o "$work/health" "$base/healthz" 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then cat "$work/log" >&2; exit 1; fi
    sleep 0.1
done
resident() { awk '/^VmRSS:/ { printf "%.1f MiB", $2 / 1024 }' "/proc/$server/status"; }
sleep 5
echo "resident memory, idle: $(resident)"

curl -fsS -o "$work/answer" -c "$work/cookies" -H "Origin: $base" -H 'Sec-Fetch-Site: same-origin' \
    --data-urlencode login=ana --data-urlencode "password=$password" "$base/sign-in"
cookie=$(awk '$6 == "headgate" { print $6 "=" $7 }' "$work/cookies")
[ -n "$cookie" ] || { echo 'the sign-in was refused' >&2; exit 1; }

# Every page of the list names its flows and the page after it.
next=/flows
: >"$work/paths"
while [ -n "$next" ]; do
    curl -fsS -o "$work/list" -H "Cookie: $cookie" "$base$next"
    grep -o 'href="/flows/[0-9a-f-]\{36\}"' "$work/list" | cut -d'"' -f2 >>"$work/paths"
    next=$(grep -o '<a[^>]*rel="next"[^>]*>' "$work/list" | grep -o 'href="[^"]*"' | cut -d'"' -f2 |
        sed 's/&amp;/\&/g; s/&#38;/\&/g' | head -n 1 || true)
done
sort -u -o "$work/paths" "$work/paths"
echo "$(wc -l <"$work/paths") flow pages, $connections connections, $seconds s"

if command -v wrk >/dev/null; then
    cat >"$work/paths.lua" <<LUA
local paths, at = {}, 0
for path in io.lines("$work/paths") do paths[#paths + 1] = path end
request = function() at = at % #paths + 1; return wrk.format("GET", paths[at], { Cookie = "$cookie" }) end
done = function(summary, latency)
    print(string.format("%.0f requests/s, p50 %.2f ms, p99 %.2f ms, %d errors", summary.requests / summary.duration * 1e6,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.errors.status + summary.errors.timeout))
end
LUA
    wrk -t1 -c"$connections" -d"${seconds}s" -s "$work/paths.lua" "$base" | tail -n 1
else
    # A worker of curl keeps one connection and asks for all flows; each begins elsewhere.
    total=$(wc -l <"$work/paths")
    started=$(date +%s.%N)
    worker=0
    workers=
    while [ "$worker" -lt "$connections" ]; do
        first=$((worker * total / connections + 1))
        { tail -n +"$first" "$work/paths"; head -n "$((first - 1))" "$work/paths"; } |
            while read -r path; do printf 'url = "%s%s"\noutput = "%s"\n' "$base" "$path" /dev/null; done >"$work/urls.$worker"
        # The time's end stops a worker that is not through.
        (
            end=$(($(date +%s) + seconds))
            while [ "$(date +%s)" -lt "$end" ]; do
                timeout "$((end - $(date +%s)))" curl -fsS -K "$work/urls.$worker" -H "Cookie: $cookie" \
                    -w '%{time_total}\n' >>"$work/times.$worker" || break
            done
        ) &
        workers="$workers $!"
        worker=$((worker + 1))
    done
    # shellcheck disable=SC2086 # one word for each process
    wait $workers || true
    sort -n "$work"/times.* >"$work/times"
    awk -v started="$started" -v ended="$(date +%s.%N)" '{ times[NR] = $1 * 1000 } END {
        if (NR == 0) { print "no answers"; exit 1 }
        printf "%.0f requests/s, p50 %.2f ms, p99 %.2f ms\n", NR / (ended - started), times[int(NR * 0.50) + 1], times[int(NR * 0.99) + (NR * 0.99 < NR - 1)]
    }' "$work/times"
fi
echo "resident memory, right after: $(resident)"
sleep 10
echo "resident memory, idle again:  $(resident)"
