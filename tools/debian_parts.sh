#!/bin/sh
# Installs what the tests need from Debian when they are missing and this user may install; otherwise says in one line
# what will not be run. Mosquitto: the production broker. Chromium: the pages. PostgreSQL: the other database. Pango: PDFs.
set -u
missing=""
command -v mosquitto >/dev/null 2>&1 || [ -x /usr/sbin/mosquitto ] || missing="$missing mosquitto"
command -v chromium-headless-shell >/dev/null 2>&1 || command -v chromium >/dev/null 2>&1 || missing="$missing chromium-headless-shell"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
for library in libpango-1.0 libpangoft2-1.0 libharfbuzz-subset; do
    /sbin/ldconfig -p 2>/dev/null | grep -q "$library.so.0" ||
        missing="$missing libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "hymio: installing$missing from Debian"
    log=$(mktemp)
    if apt-get update -qq >"$log" 2>&1 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -5 "$log"
fi
echo "hymio: NOT RUN for want of:$missing (sudo apt install$missing)"
