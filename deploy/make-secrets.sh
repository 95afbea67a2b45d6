#!/bin/sh
# Make what a fleet keeps secret: passwords, the files of Redis that have them, and certificates.
#
#   deploy/make-secrets.sh FOLDER [NAME...]
#
# NAMEs are those that the hosts of Redis and of the web part are reached by, beside redis-1 to
# redis-3, sentinel-1 to sentinel-3, web and localhost; addresses, too. What is there stays as it is,
# so that it can be called again, with another name for example: then remove FOLDER/tls/server.*
# first. FOLDER is for its owner alone; the files in it can be read by whomever one of them is handed
# to, as the users of containers, who have other numbers.
set -eu
[ $# -gt 0 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2; }
shipped=$(cd "$(dirname "$0")" && pwd)/redis
umask 077
mkdir -p "$1/tls"
cd "$1"
shift

for part in scheduler agent web ops reader replica sentinel watchers; do
  [ -e "$part.password" ] || openssl rand -hex 24 >"$part.password"
done

# Each of ours, with the passwords in the places of change-me-….
for file in users.acl ha.conf sentinel.conf; do
  [ -e "$file" ] && continue
  edits=
  for secret in *.password; do
    edits="$edits;s/change-me-${secret%.password}\b/$(cat "$secret")/g"
  done
  sed "$edits" "$shipped/$file" >"$file"
done
cp "$shipped/redis.conf" redis.conf

if [ ! -e tls/ca.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -sha256 \
    -subj "/CN=jober's own" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout tls/ca.key -out tls/ca.pem 2>/dev/null
fi
if [ ! -e tls/server.pem ]; then
  names=
  for name in "$@" redis-1 redis-2 redis-3 sentinel-1 sentinel-2 sentinel-3 web localhost 127.0.0.1; do
    case $name in
      *[!0-9.]*) names="$names,DNS:$name" ;;
      *) names="$names,IP:$name" ;;
    esac
  done
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=jober" \
    -keyout tls/server.key -out tls/server.csr 2>/dev/null
  printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=%s\n' \
    "${names#,}" >tls/server.ext
  openssl x509 -req -in tls/server.csr -CA tls/ca.pem -CAkey tls/ca.key -CAcreateserial -days 825 \
    -sha256 -extfile tls/server.ext -out tls/server.pem 2>/dev/null
  rm tls/server.csr tls/server.ext
fi
chmod 0644 ./*.password users.acl ./*.conf tls/ca.pem tls/server.pem tls/server.key
chmod 0755 tls
