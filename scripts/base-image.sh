#!/bin/sh
# Makes a Python base image on this machine, for where no image can be pulled (a CI without a registry, a laptop offline):
#
#   scripts/base-image.sh [NAME]        NAME defaults to passloop-base:bookworm
#
# Prints the image's id (sha256:...) on stdout, everything else on stderr. An image of that name made by this version of
# the script is kept as it is. Needs root, debootstrap and a Docker engine; takes about a minute.
# Users of Passloop do not need it: they name python:X.Y-slim@sha256:... as their base.
set -eu

recipe=1
name=${1:-passloop-base:bookworm}
suite=bookworm
packages=python3,libgomp1,ca-certificates
docker=${DOCKER:-docker}
# A newer client without its buildx plugin may stand first in PATH; Debian's own is the one that fits the engine.
if [ -z "${DOCKER:-}" ] && [ -x /usr/bin/docker ]; then docker=/usr/bin/docker; fi

say() { echo "base-image: $*" >&2; }
die() { say "$1"; [ -z "${2:-}" ] || say "  $2"; exit 3; }

"$docker" version >/dev/null 2>&1 || die 'no Docker engine answers.' 'Start one (dockerd), or set DOCKER_HOST.'

image_id() { "$docker" image inspect --format '{{.Id}}' "$name" 2>/dev/null || true; }
made_by() { "$docker" image inspect --format '{{index .Config.Labels "dev.passloop.base.recipe"}}' "$name" 2>/dev/null || true; }

if [ -n "$(image_id)" ] && [ "$(made_by)" = "$recipe" ]; then
  say "$name exists"
  image_id
  exit 0
fi

[ "$(id -u)" = 0 ] || die 'debootstrap needs root.' "Run: sudo $0 $name"
command -v debootstrap >/dev/null 2>&1 || die 'debootstrap is missing.' 'Run: apt-get install -y debootstrap'

# The mirror that this machine's apt uses for the suite: one-line sources first, then deb822 stanzas.
mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -n 's/^deb[[:space:]]\{1,\}\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\)[[:space:]]\{1,\}'"$suite"'[[:space:]].*/\2/p'
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    awk -v suite="$suite" '
      function flush() { if (uri != "" && wanted) print uri; uri = ""; wanted = 0 }
      /^[[:space:]]*$/ { flush(); next }
      tolower($1) == "uris:" { uri = $2 }
      tolower($1) == "suites:" { for (i = 2; i <= NF; i++) if ($i == suite) wanted = 1 }
      END { flush() }' "$file"
  done
}
mirror=$(mirror | head -n 1)
[ -n "$mirror" ] || die "the apt sources of this machine name no mirror for $suite." \
  "Add one to /etc/apt/sources.list, or pull python:3.11-slim and tag it $name."

# On a disk, not in the home of a user: the tree holds device nodes and files of several owners.
work=$(mktemp -d "${TMPDIR:-/tmp}/base-image.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
root=$work/root

say "debootstrap $suite with $packages"
debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$mirror" >"$work/log" 2>&1 || {
  tail -n 20 "$work/log" >&2
  die 'debootstrap failed, its last lines are above.'
}

# What no container reads (licences stay): package lists and archives, manuals, translations, logs, bytecode (the interpreter of an image
# that is built on this one compiles what it needs), and the host's names that debootstrap copies in.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/var/cache/debconf/*-old \
  "$root"/var/lib/dpkg/*-old "$root"/var/cache/ldconfig "$root"/usr/share/man/* \
  "$root"/usr/share/info/* "$root"/usr/share/locale/* "$root"/usr/share/i18n/* "$root"/usr/share/lintian \
  "$root"/etc/hostname "$root"/etc/resolv.conf "$root"/etc/machine-id
find "$root/usr/share/doc" ! -type d ! -name copyright -delete
find "$root/usr" -name __pycache__ -prune -exec rm -rf {} +
mkdir -p "$root/var/cache/apt/archives/partial" "$root/var/lib/apt/lists/partial"
: >"$root/etc/machine-id"

# Time stamps of the build would make a new digest of the same tree.
find "$root" -newermt '2025-01-01' -exec touch -h -d '2025-01-01T00:00:00Z' {} +

say "import as $name"
tar --numeric-owner --sort=name --exclude=./dev/* -C "$root" -c . |
  "$docker" import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV LANG=C.UTF-8' --change 'CMD ["python3"]' \
    --change "LABEL dev.passloop.base.recipe=$recipe" - "$name" >/dev/null
"$docker" run --rm --network none "$name" python3 -c 'import ctypes, ssl, sys; ctypes.CDLL("libgomp.so.1"); print(sys.version)' >&2 ||
  die "$name was made, and its Python does not start."
say "$name: $("$docker" image inspect --format '{{.Size}}' "$name") bytes"
image_id
