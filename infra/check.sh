#!/usr/bin/env bash
# Checks the configuration of every product against the product itself. One line a check: ok, not ok, or skip with
# the reason (its tool is not installed). Exit 1 when one failed. Starts nothing that stays.
#   apt-get install -y nginx prometheus redis-server openssl      (Debian 12) makes all of them run but compose's
set -uo pipefail
cd "$(dirname "$0")/.."
# Where Debian keeps nginx and redis-server, also for those who are not root.
PATH="$PATH:/usr/sbin:/sbin"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# check <name> <command...>: the command's output is shown only when it fails.
check() {
    local name=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name"
        sed 's/^/    /' "$tmp/out"
        failed=1
    fi
}

# needs <check> <tool...>: false, and says so, when one of the tools is missing.
needs() {
    local name=$1 tool
    shift
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "skip $name ($tool is not installed)" && return 1; }
    done
}

render_nginx() { # <directory>: the configuration as the container would have it, with a certificate of its own
    cp infra/nginx/nginx.conf "$1/"
    cp -r infra/nginx/snippets "$1/"
    cp /etc/nginx/mime.types "$1/"
    mkdir -p "$1/conf.d" "$1/tls" "$1/tmp"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=check \
        -keyout "$1/tls/privkey.pem" -out "$1/tls/fullchain.pem" 2>/dev/null
    sed -e 's|${NGINX_RESOLVER}|127.0.0.1|' -e 's|${NGINX_HTTPS_PORT}|443|' -e 's|${NGINX_HSTS}||' \
        -e 's|${NGINX_RATE_PER_S}|200|' -e 's|${NGINX_RATE_BURST}|400|' -e 's|${NGINX_CONNECTIONS_MAX}|512|' \
        -e 's|${NGINX_BODY_BYTES_MAX}|1000000|' -e 's|${NGINX_FILE_BYTES_MAX}|210000000|' -e 's|${NGINX_API}|api:8080|' \
        -e 's|${NGINX_DASHBOARD}|dashboard:8081|' -e "s|\${NGINX_TLS_DIR}|$1/tls|" \
        infra/nginx/templates/forebay.conf.template >"$1/conf.d/forebay.conf"
    # What nginx writes under /tmp goes beside it here.
    sed -i "s|/tmp/nginx-|$1/tmp/|" "$1/nginx.conf"
    ! grep -v '^ *#' "$1/conf.d/forebay.conf" | grep -F '${'
}

nginx_accepts() {
    mkdir "$tmp/nginx" && render_nginx "$tmp/nginx" &&
        nginx -t -c "$tmp/nginx/nginx.conf" -p "$tmp/nginx" -g "pid $tmp/nginx/pid;"
}

# Redis has no dry run: it starts on a socket, says what it understood, and stops.
redis_accepts() {
    mkdir "$tmp/redis"
    redis-server infra/redis/redis.conf --port 0 --unixsocket "$tmp/redis/s" --dir "$tmp/redis" >"$tmp/redis/log" 2>&1 &
    local pid=$! reply='' tries=0
    until reply=$(redis-cli -s "$tmp/redis/s" config get maxmemory-policy 2>/dev/null) || [ $((tries += 1)) -gt 50 ]; do
        sleep 0.1
    done
    kill "$pid" 2>/dev/null
    wait "$pid"
    cat "$tmp/redis/log"
    [[ $reply == *noeviction* ]]
}

# First start makes everything, the second changes nothing.
init_is_idempotent() {
    mkdir -p "$tmp"/secrets/{redis,dashboard,tls}
    SECRETS_DIR=$tmp/secrets sh infra/compose/init.sh && sha256sum "$tmp"/secrets/*/* >"$tmp/first"
    SECRETS_DIR=$tmp/secrets sh infra/compose/init.sh && sha256sum --check --quiet "$tmp/first" &&
        [ "$(wc -l <"$tmp/first")" = 6 ]
}

# Every alert points to a section of the runbook that exists.
runbooks_exist() {
    local anchor missing=0
    for anchor in $(grep -o 'operations.md#[a-z-]*' infra/prometheus/rules/*.yml | sed 's/.*#//' | sort -u); do
        sed -n 's/^##* //p' docs/operations.md | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n-' | grep -qx "$anchor" ||
            { echo "docs/operations.md has no section #$anchor" && missing=1; }
    done
    return $missing
}

# Every metric the alert rules ask for is one that a service publishes.
metrics_exist() {
    local metric missing=0
    for metric in $(grep -oh 'forebay_[a-z_]*' infra/prometheus/rules/*.yml | sort -u); do
        grep -rqw "\"$metric\"" apps/*/src packages/*/src --include='*.ts' ||
            { echo "no service publishes $metric" && missing=1; }
    done
    return $missing
}

ecosystem_loads() {
    node -e '
        const { existsSync } = require("node:fs");
        const { apps } = require("./infra/pm2/ecosystem.config.cjs");
        const absent = apps.map((app) => app.script).filter((script) => !existsSync(script));
        if (apps.length === 0 || absent.length > 0) throw new Error(`no such script: ${absent}`);'
}

compose_accepts() {
    docker compose --env-file /dev/null config --quiet &&
        COMPOSE_PROFILES=gpu docker compose --env-file /dev/null config --quiet
}

for script in infra/*.sh infra/compose/*.sh; do check "shell syntax of $script" bash -n "$script"; done
needs prometheus-config promtool &&
    check prometheus-config promtool check config infra/prometheus/prometheus.yml infra/prometheus/prometheus.local.yml
needs prometheus-rules promtool && check prometheus-rules promtool check rules infra/prometheus/rules/forebay.yml
needs prometheus-rule-tests promtool &&
    check prometheus-rule-tests promtool test rules infra/prometheus/tests/forebay.test.yml
check runbook-anchors runbooks_exist
check metric-names metrics_exist
needs nginx-config nginx openssl && check nginx-config nginx_accepts
needs redis-config redis-server redis-cli && check redis-config redis_accepts
needs compose-init openssl && check compose-init init_is_idempotent
needs pm2-ecosystem node && check pm2-ecosystem ecosystem_loads
if docker compose version >/dev/null 2>&1; then
    check compose-config compose_accepts
else
    echo "skip compose-config (docker compose is not installed)"
fi
exit $failed
