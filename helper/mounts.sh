# Mounts: which hide what the image has below them, and which show the image's own files.

# Sets mounts, the mount points that hide a part of the image, one a line; volumes, those where the
# engine shows the image's own files, as a copy; and unclear, those of which that cannot be told. Sets fixed, the
# devices of file systems whose times of change are no clock's: an image of one may have other files of the same times.
# Fails where /proc is not mounted. proc_pid_mountinfo(5) has the fields.
read_mounts() {
    mounts=
    volumes=
    unclear=
    fixed=
    layer_id=
    root_type=
    [ -r /proc/self/mountinfo ] || return 1
    while read -r _id _parent device shown point rest; do
        decode_octal "$point"
        point=$decoded
        # What stands before " - " is a list of options, and has no blanks but between them.
        rest=${rest#* - }
        case ${rest%% *} in
        squashfs | erofs | cramfs | romfs | iso9660 | udf | vfat | msdos | exfat) add_fixed ;;
        esac
        if [ "$point" = / ]; then read_root_mount; fi
        case $point in
        / | /proc | /proc/* | /sys | /sys/* | /dev | /dev/* | "$base" | "$base"/*)
            mounts=$mounts$point$newline
            continue
            ;;
        esac
        # Mounted later is mounted over what was there.
        uncover "$point"
        if is_volume; then
            volumes=$volumes$point$newline
        else
            mounts=$mounts$point$newline
            if [ "${rest%% *} $root_type" = "$fuse $fuse" ]; then unclear=$unclear$point$newline; fi
        fi
    done </proc/self/mountinfo
}

fuse=fuse.fuse-overlayfs

# Adds <major>:<minor> as stat(2) has it, in one number (makedev(3)).
add_fixed() {
    minor=${device#*:}
    above=$((minor / 256))
    fixed="$fixed $((minor - above * 256 + ${device%:*} * 256 + above * 1048576)) "
}

# Sets layer_id, how containers-storage calls the working container's own layer, from $rest.
read_root_mount() {
    root_type=${rest%% *}
    layer_id=
    case $rest in
    overlay\ *,upperdir=*/diff,*)
        layer_id=${rest#*,upperdir=}
        layer_id=${layer_id%%,*}
        layer_id=${layer_id%/diff}
        layer_id=${layer_id##*/}
        is_hash "$layer_id" || layer_id=
        ;;
    esac
}

# Whether the mount is the copy of a VOLUME that buildah (also in podman) shows to a RUN. For those of the base
# it is a directory of the working container's own, named by a hash of the path (run_common.go,
# runSetupBuiltinVolumes); for those of the stage itself an overlay over the very place in the working container
# (stage_executor.go, volumeCacheSaveOverlay; up to 1.36). Nobody else's mount comes from such a place: a
# directory that merely has the name, such as /srv/buildah-volumes/x, is the user's own.
is_volume() {
    case $shown in
    /) ;;
    */userdata/buildah-volumes/*)
        volume=${shown##*/}
        container=${shown%"/userdata/buildah-volumes/$volume"}
        [ "$container" != "$shown" ] && is_hash "$volume" && is_hash "${container##*/}"
        return
        ;;
    *) return 1 ;;
    esac
    [ -n "$layer_id" ] || return 1
    case $rest in
    overlay\ *,lowerdir=*,upperdir=*) ;;
    *) return 1 ;;
    esac
    lower=${rest#*,lowerdir=}
    decode_octal "${lower%%,*}"
    # In a list of directories a colon has a backslash.
    lower=
    while :; do
        case $decoded in
        *\\:*) lower=$lower${decoded%%\\:*}: decoded=${decoded#*\\:} ;;
        *) break ;;
        esac
    done
    case $lower$decoded in
    */"$layer_id/merged$point") return 0 ;;
    esac
    return 1
}

# Whether $1 is a SHA-256, as IDs of containers and layers look, too.
is_hash() {
    case $1 in
    *[!0-9a-f]*) return 1 ;;
    esac
    [ ${#1} -eq 64 ]
}

# Takes what a mount on $1 hides out of the lists.
uncover() {
    for list in mounts volumes unclear; do
        eval "listed=\$newline\$$list"
        left=
        while :; do
            case $listed in
            *"$newline$1$newline"*) found=$1 ;;
            *"$newline$1/"*)
                found=${listed#*"$newline$1/"}
                found=$1/${found%%"$newline"*}
                ;;
            *) break ;;
            esac
            left=$left${listed%%"$newline$found$newline"*}
            listed=$newline${listed#*"$newline$found$newline"}
        done
        listed=$left$listed
        eval "$list=\${listed#\"\$newline\"}"
    done
}

# Sets decoded: the kernel writes a blank as \040, and a backslash as \134.
decode_octal() {
    decoded=$1
    case $1 in
    *\\*)
        decoded=$(printf '%s\n' "$1" | sed 's/\\/\\0/g')
        decoded=$(printf '%b.' "$decoded")
        decoded=${decoded%.}
        ;;
    esac
}
