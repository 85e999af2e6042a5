# shellcheck shell=bash
# Installing Debian's packages. Sourced by the scripts that do, which have `say` and `die`.

# One script at a time: several may find the same thing missing at once. Ends with the script, or with apt_done.
apt_alone() {
  mkdir -p /var/lib/personactors
  exec 9>/var/lib/personactors/install.lock
  flock 9
}

apt_done() { exec 9>&-; }

# Runs a command without a word unless it fails.
apt_quietly() {
  local output
  output=$("$@" </dev/null 2>&1 9>&-) || { say "$output"; return 1; }
}

apt_update() {
  export DEBIAN_FRONTEND=noninteractive
  say "Reading the package lists ..."
  apt_quietly apt-get update || say "Some package lists could not be read; going on with those that could."
}

apt_install() {
  apt_quietly apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" || die "apt-get could not install: $*"
}

# Runs the same script as root where that needs no password; false if it can't be.
apt_as_root() {
  command -v apt-get >/dev/null && command -v sudo >/dev/null && sudo -n true 2>/dev/null && sudo -n bash "$@"
}
