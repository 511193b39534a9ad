#!/usr/bin/env bash
# The compose stack, for real: built, started on free ports as a project of its own, a job posted through nginx over TLS,
# Redis and a worker killed in the middle of thirty, everything stopped and started again. Prints a line per thing shown;
# leaves nothing behind; ends within TEST_COMPOSE_TIMEOUT_S (default 15 min). Needs Docker with compose, curl and node.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! docker compose version >/dev/null 2>&1 || ! docker info >/dev/null 2>&1; then
    echo "skip compose stack (no Docker engine with compose here)"
    exit 0
fi
# Under `timeout`, which ends the whole group and gives the cleanup two minutes.
if [ -z "${TEST_COMPOSE_INNER:-}" ]; then
    export TEST_COMPOSE_INNER=1
    exec timeout --kill-after=120 "${TEST_COMPOSE_TIMEOUT_S:-900}" infra/test-compose.sh
fi

# --- A stack that has nothing to do with any other ---------------------------------------------------------------

free_ports() {
    node -e '
        const net = require("node:net");
        const servers = [1, 2, 3].map(() => net.createServer().listen(0, "127.0.0.1"));
        Promise.all(servers.map((s) => new Promise((done) => s.once("listening", done)))).then(() => {
            console.log(servers.map((s) => s.address().port).join(" "));
            servers.forEach((s) => s.close());
        });'
}
# What the caller has set for a stack of their own must not reach this one.
for name in $(compgen -e | grep -E '^(COMPOSE|REDIS|OLLAMA|API|WORKER|DLQ|DASHBOARD|NGINX|SIMULATOR|DELIVERY|RETENTION|FOREBAY)_'); do
    unset "$name"
done
read -r HTTP_PORT HTTPS_PORT PROMETHEUS_PORT < <(free_ports)
export HTTP_PORT HTTPS_PORT PROMETHEUS_PORT
export FOREBAY_BIND_ADDRESS=127.0.0.1 FOREBAY_VERSION=test
# Three calls at once, so that every worker has something to lose; locks short enough to wait for.
export WORKER_CONCURRENCY=3 WORKER_LOCK_MS=10000 WORKER_STALLED_CHECK_MS=5000 SIMULATOR_LOAD_MS=500
project=forebay-test-$$
tmp=$(mktemp -d)
compose() { docker compose --project-name "$project" --env-file /dev/null "$@"; }

cleanup() {
    local status=$?
    trap - EXIT
    if [ $status -ne 0 ]; then
        echo "--- state and logs of the failed stack"
        compose ps --all || true
        compose logs --no-color --tail 20 2>/dev/null | sed -E 's/fbk_[A-Za-z0-9_-]+/fbk_…/g' || true
    fi
    compose down --volumes --remove-orphans --timeout 5 >"$tmp/down" 2>&1 || cat "$tmp/down"
    rm -rf "$tmp"
    exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# --- Words the test is written in ------------------------------------------------------------------------------------

ok() { echo "ok $* (${SECONDS} s)"; }
fail() {
    echo "not ok $*"
    exit 1
}
# json <expression over it>: reads one JSON value.
json() { node -e 'const it = JSON.parse(require("fs").readFileSync(0, "utf8")); console.log('"$1"')'; }
# await <seconds> <what> <command...>: until the command succeeds.
await() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "$what: not within the time"
        sleep 1
    done
}
https=https://localhost:$HTTPS_PORT
ask() { curl -sS --max-time 20 --cacert "$tmp/forebay.pem" "$@"; }
status() { ask -o /dev/null -w '%{http_code}' "$@"; }
with_key() { ask -H "Authorization: Bearer $key" "$@"; }

# post <idempotency key> [tokens]: prints the job's id; a job that was not accepted for now is posted again, under the
# same key, so that it exists once whatever happened to the first request.
post() {
    local name=$1 tokens=${2:-60} end=$((SECONDS + 90)) body code
    body="{\"model\":\"llama3.2:3b\",\"prompt\":\"Tell of $name\",\"options\":{\"num_predict\":$tokens},\"metadata\":{\"run\":\"$project\"}}"
    while :; do
        code=$(with_key -o "$tmp/post-$name" -w '%{http_code}' -X POST "$https/jobs" -H 'Content-Type: application/json' \
            -H "Idempotency-Key: $name" -d "$body" 2>"$tmp/post-error") || code=none
        case $code in
            200 | 202) json it.job_id <"$tmp/post-$name" && return ;;
            # A worker has not announced its models yet, or Redis is away.
            none | 422 | 502 | 503 | 504) [ $SECONDS -lt $end ] || break ;;
            *) break ;;
        esac
        sleep 1
    done
    echo "posting $name: $code $(cat "$tmp/post-$name" "$tmp/post-error")" >&2
    return 1
}
state_of() { with_key "$https/jobs/$1" | json it.state 2>/dev/null || echo unknown; }
is_completed() {
    case $(state_of "$1") in
        completed) return 0 ;;
        failed | cancelled | expired | timed_out) with_key "$https/jobs/$1" && fail "job $1 did not complete" ;;
        *) return 1 ;;
    esac
}
containers() { compose ps --quiet "$1"; }
restarts() { containers "$1" | xargs docker inspect --format '{{.RestartCount}}' | awk '{ sum += $1 } END { print sum }'; }
# The process under Docker's init, as the out-of-memory killer would end it. `docker kill` would also keep the container
# from being restarted, which is not what is to be shown.
kill_9() {
    docker exec "$1" sh -c 'for p in /proc/[0-9]*; do
        if [ "$(cut -d" " -f4 "$p/stat" 2>/dev/null)" = 1 ]; then kill -9 "${p#/proc/}"; fi
    done' || true
}
prometheus() { curl -sS --max-time 10 "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/$1"; }
# targets_up <job> <how many>
targets_up() {
    prometheus targets | json "it.data.activeTargets.filter((t) => t.labels.job === '$1' && t.health === 'up').length === $2" |
        grep -q true
}
all_targets_up() {
    for job in prometheus api dlq-handler timekeeper batch-runner dashboard; do targets_up $job 1 || return 1; done
    targets_up worker "$1"
}
metric() { prometheus "query?query=$(node -p 'encodeURIComponent(process.argv[1])' "$1")" | json 'it.data.result[0]?.value[1] ?? "none"'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }

read_key() { compose logs --no-log-prefix setup | grep -o 'fbk_[A-Za-z0-9_-]*' | sort -u; }
read_certificate() { compose cp nginx:/etc/nginx/tls/fullchain.pem "$tmp/forebay.pem" >/dev/null 2>&1; }

# --- First start -------------------------------------------------------------------------------------------------

compose --progress plain build >"$tmp/build" 2>&1 || { tail -40 "$tmp/build" && fail "every image builds"; }
ok "every image builds"
compose up --detach --quiet-pull >"$tmp/up" 2>&1 || { cat "$tmp/up" && fail "the stack starts"; }
read_certificate
key=$(read_key)
[ "$(wc -w <<<"$key")" = 1 ] || fail "setup shows exactly one API key"
ok "the stack starts with nothing configured, and setup shows one API key"

first=$(post first 20) || fail "the first job is accepted"
await 60 "the first job" is_completed "$first"
answer=$(with_key "$https/jobs/$first" | json it.result.response)
[ -n "$answer" ] || fail "the first job has an answer"
ok "a job posted through nginx over TLS, checked against the made certificate, comes back with its answer"

[ "$(status "$https/jobs")" = 401 ] || fail "no key, no jobs"
ask -H "X-Ollama-Key: $key" "$https/queue/jobs?limit=50" | grep -q "$first" || fail "/queue/jobs with X-Ollama-Key"
ok "/queue/jobs with X-Ollama-Key lists the job; without a key it is 401"

[ "$(curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' "http://localhost:$HTTP_PORT/jobs?limit=1")" = "308 $https/jobs?limit=1" ] ||
    fail "plain HTTP is redirected"
[ "$(ask -o /dev/null -w '%{http_version}' "$https/jobs")" = 2 ] || fail "HTTP/2"
head -c 2000000 /dev/zero | with_key -X POST "$https/jobs" -H 'Content-Type: application/json' --data-binary @- -D "$tmp/h" -o "$tmp/b"
grep -qi '^content-type: application/problem+json' "$tmp/h" && [ "$(json it.code <"$tmp/b")" = body_too_large ] || fail "413 is a problem+json"
ok "HTTP is redirected, TLS speaks HTTP/2, a body too large is refused as problem+json"

# --- What cannot be reached ----------------------------------------------------------------------------------------

for path in metrics healthz readyz queue/metrics dashboard/metrics; do
    with_key "$https/$path" >"$tmp/b"
    ! grep -qE 'process_cpu|forebay_service_info|"status":"?ok' "$tmp/b" || fail "/$path leads to an ops port"
done
published=$(docker ps --filter "label=com.docker.compose.project=$project" --format '{{.Ports}}' | tr ',' '\n' | grep -o '[^ ]*->' | sort -u | wc -l)
[ "$published" = 3 ] || fail "three ports are published, not $published"
! compose exec -T nginx curl -sS --max-time 3 redis:6379 >/dev/null 2>&1 || fail "nginx reaches Redis"
! docker run --rm --network "${project}_edge" "forebay/api:$FOREBAY_VERSION" \
    node -e 'fetch("http://api:9101/metrics", { signal: AbortSignal.timeout(3000) }).then(() => {}, () => process.exit(1))' ||
    fail "the published network reaches an ops port"
! compose exec -T redis redis-cli ping 2>&1 | grep -q PONG || fail "Redis asks for a password"
ok "only nginx and Prometheus are published; ops ports and Redis are out of reach"

for service in redis api worker dlq-handler timekeeper batch-runner dashboard nginx prometheus simulator; do
    id=$(containers $service | head -1)
    [ "$(docker exec "$id" id -u)" != 0 ] || fail "$service does not run as root"
    [ "$(docker inspect --format '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "$id")" = "true [ALL]" ] ||
        fail "$service has a read-only file system and no capabilities"
done
ok "nobody runs as root, writes into its image, or has a capability"

# --- Dashboard -----------------------------------------------------------------------------------------------------

jar=$tmp/cookies
case $(status "$https/dashboard/") in 302 | 303 | 401) ;; *) fail "the dashboard asks for a login" ;; esac
login() { status -c "$jar" -b "$jar" -X POST "$https/dashboard/login" -H "Origin: $https" --data-urlencode "key=$1" -d next=/dashboard/; }
case $(login fbk_wrong) in 401 | 403) ;; *) fail "the dashboard refuses a wrong key" ;; esac
case $(login "$key") in 302 | 303) ;; *) fail "the dashboard takes the key" ;; esac
ask -L -b "$jar" "$https/dashboard/" -o "$tmp/b" -w '%{http_code}' | grep -q 200 && grep -qi '<html' "$tmp/b" || fail "the board is shown"
ok "the dashboard answers under /dashboard/, after a login only"

# --- Prometheus ----------------------------------------------------------------------------------------------------

await 60 "all Prometheus targets up" all_targets_up 1
[ "$(prometheus rules | json 'it.data.groups.flatMap((g) => g.rules).filter((r) => r.health !== "err").length > 10')" = true ] || fail "the alert rules are loaded"
compose up --detach --no-recreate --scale worker=3 >"$tmp/up" 2>&1 || { cat "$tmp/up" && fail "scaling"; }
await 60 "three workers as Prometheus targets" all_targets_up 3
ok "Prometheus reads every service, and finds each of three workers after --scale worker=3"

# --- Thirty jobs, and two deaths -------------------------------------------------------------------------------------

jobs=()
for n in $(seq 1 12); do jobs+=("$(post "job-$n" 240)") || fail "job-$n is accepted"; done
# The first worker that holds a job, so that its death costs something.
find_busy_worker() {
    for busy in $(containers worker); do
        docker exec "$busy" node -e '
            fetch("http://127.0.0.1:9102/metrics").then((r) => r.text()).then((text) =>
                process.exit(/^forebay_backend_slots_used\{.*\} [1-9]/m.test(text) ? 0 : 1))' && return 0
    done
    return 1
}
await 30 "a worker with a job" find_busy_worker
kill_9 "$busy"
for n in $(seq 13 20); do jobs+=("$(post "job-$n")") || fail "job-$n is accepted"; done
kill_9 "$(containers redis)"
for n in $(seq 21 30); do jobs+=("$(post "job-$n")") || fail "job-$n is accepted"; done
[ "$(restarts worker)" -ge 1 ] && [ "$(restarts redis)" -ge 1 ] || fail "both were killed and restarted"
ok "a worker and Redis were killed with SIGKILL while 30 jobs were posted, and came back by themselves"

for id in "${jobs[@]}"; do await 240 "job $id" is_completed "$id"; done
[ "$(printf '%s\n' "${jobs[@]}" | sort -u | wc -l)" = 30 ] || fail "thirty different jobs"
for id in "${jobs[@]}"; do
    with_key "$https/jobs/$id" |
        json 'it.timeline.filter((t) => t.state === "completed").length === 1 && it.result.response.length > 0 && it.error === null' |
        grep -q true || fail "job $id ended exactly once, with an answer"
done
restarted=0
for id in "${jobs[@]}"; do
    starts=$(with_key "$https/jobs/$id" | json 'it.timeline.filter((t) => t.state === "active").length')
    if [ "$starts" -gt 1 ]; then restarted=$((restarted + 1)); fi
done
[ $restarted -ge 1 ] || fail "a job was running when its worker died"
with_key "$https/jobs?limit=100&metadata%5Brun%5D=$project" >"$tmp/b"
[ "$(grep -o '"job_id"' "$tmp/b" | wc -l)" = 31 ] || fail "the list has these jobs, once each, and no others"
await 60 "the gauges agree" metric_is 'sum(max by (queue) (forebay_queue_jobs{state="completed"}))' 31
metric_is 'sum(max by (queue) (forebay_queue_jobs{state=~"waiting|active|delayed|failed"}))' 0 || fail "nothing is left over"
ok "all 30 completed exactly once, $restarted of them after a second start; nothing is lost, doubled or left over"

# --- Down, and up again ----------------------------------------------------------------------------------------------

compose down --timeout 40 >"$tmp/down" 2>&1 || { cat "$tmp/down" && fail "down"; }
compose up --detach >"$tmp/up" 2>&1 || { cat "$tmp/up" && fail "up again"; }
[ -z "$(read_key)" ] || fail "a second start makes no second key"
cp "$tmp/forebay.pem" "$tmp/before.pem"
read_certificate
cmp -s "$tmp/before.pem" "$tmp/forebay.pem" || fail "the certificate is the same"
[ "$(with_key "$https/jobs/$first" | json it.result.response)" = "$answer" ] || fail "the old answer is still there"
again=$(post again 10) || fail "a job is accepted after the restart"
await 60 "a job after the restart" is_completed "$again"
ok "after down and up the same key, certificate and answers are there, and jobs run"

compose down --volumes --timeout 5 >"$tmp/down" 2>&1 || { cat "$tmp/down" && fail "down --volumes"; }
left=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$project"; docker volume ls --quiet --filter "label=com.docker.compose.project=$project"; docker network ls --quiet --filter "label=com.docker.compose.project=$project")
[ -z "$left" ] || fail "down --volumes leaves nothing"
ok "down --volumes leaves no container, volume or network"
