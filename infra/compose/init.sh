#!/bin/sh
# Makes what must not be shipped: the Redis password, the dashboard's session secret, a TLS certificate. Runs
# on every `up` before anything else, and touches nothing that is already there. Each directory is a volume
# of its own, so that a service sees only its own secrets; readers get them through this group.
set -eu
umask 0027
cd "${SECRETS_DIR:-/secrets}"

say() { echo "init: $*"; }

# place <file>: moves <file>.new into place, readable by owner and group. Never half a file under its name.
place() {
    chmod 0440 "$1.new"
    mv -f "$1.new" "$1"
}

make_secret() {
    if [ ! -s "$1" ]; then
        openssl rand -hex 32 >"$1.new"
        place "$1"
        say "made $1"
    fi
}

make_secret redis/password
make_secret dashboard/session-secret

# Redis keeps only the hash. What would empty, replace or stop the whole store is not for services.
hash=$(tr -d '\n' <redis/password | sha256sum | cut -d' ' -f1)
denied='-flushall -flushdb -swapdb -debug -module -replicaof -slaveof -failover -shutdown'
echo "user default on #$hash ~* &* +@all $denied" >redis/users.acl.new
place redis/users.acl

# --- TLS -----------------------------------------------------------------------------------------

names=${FOREBAY_HOSTNAMES:-localhost,127.0.0.1}

is_pair() {
    [ -s tls/privkey.pem ] && [ -s tls/fullchain.pem ] &&
        [ "$(openssl pkey -in tls/privkey.pem -pubout)" = "$(openssl x509 -in tls/fullchain.pem -noout -pubkey)" ]
}

subject_alt_names() {
    echo "$names" | tr ',' '\n' | tr -d ' ' | while read -r name; do
        case $name in
            '') ;;
            *:*) echo "IP:$name" ;;
            *[!0-9.]*) echo "DNS:$name" ;;
            *) echo "IP:$name" ;;
        esac
    done | paste -s -d, -
}

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 825 \
        -subj "/CN=Forebay ($(echo "$names" | cut -d, -f1 | cut -c1-40))" \
        -addext "subjectAltName=$(subject_alt_names)" \
        -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth \
        -keyout tls/privkey.pem.new -out tls/fullchain.pem.new 2>/dev/null
    echo "$names" >tls/self-made.new
    place tls/self-made
    place tls/privkey.pem
    place tls/fullchain.pem
    say "made a certificate for $names; nginx reads it when it (re)starts"
}

# Somebody's own certificate is never replaced: only one that carries our mark.
if [ -s tls/fullchain.pem ] && [ ! -e tls/self-made ]; then
    say "using the certificate found in the TLS directory"
elif ! is_pair || [ "$(cat tls/self-made)" != "$names" ] ||
    ! openssl x509 -in tls/fullchain.pem -noout -checkend 2592000 >/dev/null; then
    make_certificate
fi
say "ready"
