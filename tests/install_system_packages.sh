#!/usr/bin/env bash
# Installs the Debian packages that the tests drive and that are missing: three browsers, a virtual display, fonts, what draws PDF, what breaks disks.
set -euo pipefail
declare -A NEEDED=(
  [chromium]=/usr/bin/chromium
  [firefox-esr]=/usr/bin/firefox-esr
  [webkit2gtk-driver]=/usr/bin/WebKitWebDriver
  [xvfb]=/usr/bin/Xvfb
  [xauth]=/usr/bin/xauth
  [fonts-noto-core]=/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf
  [e2fsprogs]=/sbin/mkfs.ext4
  [strace]=/usr/bin/strace
  [libpango-1.0-0]=/usr/lib/x86_64-linux-gnu/libpango-1.0.so.0
  [libpangoft2-1.0-0]=/usr/lib/x86_64-linux-gnu/libpangoft2-1.0.so.0
  [libharfbuzz-subset0]=/usr/lib/x86_64-linux-gnu/libharfbuzz-subset.so.0
)
missing=()
for package in "${!NEEDED[@]}"; do
  [ -e "${NEEDED[$package]}" ] || missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The browser tests need these Debian packages: ${missing[*]} (sudo apt-get install ${missing[*]})" >&2
  exit 1
fi
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
for attempt in 1 2 3; do
  apt-get -o DPkg::Lock::Timeout=600 update -qq &&
    apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null && exit 0
  sleep $((attempt * 5))
done
echo "apt-get could not install ${missing[*]}" >&2
exit 1
