#!/bin/sh
# Make a base for the images from Debian's packages, where no registry of images can be reached: `base.sh IMAGE`, as root.
# Needs debootstrap and podman. An image of this name that is there already is left as it is.
set -eu
image=${1:?which name?}
podman image exists "$image" && exit 0
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" > /dev/null
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/usr/share/doc "$root"/usr/share/man
# debootstrap knows the release only; the packages of the images are to come with the updates that were made since.
mirror=$(cut -d " " -f 2 "$root/etc/apt/sources.list")
printf 'deb %s bookworm-updates main\ndeb %s-security bookworm-security main\n' "$mirror" "$mirror" \
    >> "$root/etc/apt/sources.list"
tar -C "$root" -c . | podman import --quiet - "$image"
