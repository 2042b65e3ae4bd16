import { loose, type Case } from "../case.ts";

// All that files can be.

/** By its path: busybox's shell takes its own, which knows no fractions. */
const gnuTouch = "/usr/local/bin/touch";

export const fileCases: readonly Case[] = [
  {
    name: "owners, modes and setuid, also of what only root may read",
    few: ["epoch"],
    files: ({ base }) =>
      loose(
        base,
        "mkdir t && cp /bin/busybox t/su && chmod 4755 t/su && cp /bin/busybox t/sg && chown 0:8 t/sg && chmod 2711 t/sg",
        "mkdir t/sticky t/closed && chmod 1777 t/sticky && echo x > t/closed/x && chown 1000:1000 t/closed/x t/closed && chmod 0 t/closed/x t/closed",
        "echo > t/high && chown 3000000:4000000 t/high && chmod 0600 t/high",
      ),
    layers: ["t"],
    entries: [
      "-rwsr-xr-x 0/0 su",
      "-rwx--s--x 0/8 sg",
      "drwxrwxrwt 0/0 sticky/",
      "d--------- 1000/1000 closed/",
      "---------- 1000/1000 closed/x",
      "-rw------- 3000000/4000000 high",
    ],
  },
  {
    name: "hard links within a layer and across layers",
    few: ["epoch"],
    files: ({ base }) =>
      loose(
        base,
        "mkdir a b && echo x > a/first && ln a/first a/second && ln a/first b/third && ln b/third b/fourth",
        "ln -s first a/link && ln a/link b/link",
      ),
    layers: ["a", "b"],
    entries: [
      "-rw-r--r-- 0/0 first",
      "hrw-r--r-- 0/0 second link to first",
      "-rw-r--r-- 0/0 fourth",
      "hrw-r--r-- 0/0 third link to fourth",
    ],
  },
  {
    name: "symbolic links, FIFOs, empty files and directories",
    few: ["epoch"],
    files: ({ base }) =>
      loose(
        base,
        "mkdir -p t/a/b/c t/e && ln -s / t/root && ln -s .. t/e/up && ln -s self t/self && mkfifo -m 640 t/fifo && chown 1000:8 t/fifo && : > t/empty",
        "ln t/fifo t/fifo-again && chown -h 1000:1000 t/self",
      ),
    layers: ["t"],
    entries: [
      "prw-r----- 1000/8 fifo",
      "prw-r----- 1000/8 fifo-again",
      "lrwxrwxrwx 1000/1000 self -> self",
      "drwxr-xr-x 0/0 a/b/c/",
    ],
  },
  {
    name: "devices, where they are allowed",
    files: ({ base }) =>
      loose(
        base,
        "mkdir t && mknod t/null c 1 3 && chown 0:6 t/null && ln t/null t/again",
        "mkdir /d && mknod -m 660 /d/disk b 7 200 && chown 0:6 /d/disk && tar -C / -cf u.tar d",
      ),
    args: () => ["--allow-devices"],
    layers: ["t", "u"],
    entries: ["crw-r--r-- 0/6 null", "brw-rw---- 0/6 d/disk"],
  },
  {
    name: "a block device in a tree",
    files: ({ base }) => loose(base, "mkdir t && mknod -m 660 t/disk b 7 200"),
    args: () => ["--allow-devices"],
    layers: ["t"],
    entries: ["brw-rw---- 0/0 disk"],
    differs: {
      columns: ["buildkit", "buildx"],
      because:
        "BuildKit's COPY makes a character device of it: fsutil, copy/copy_nowindows.go, copyDevice",
      entries: ["crw-rw---- 0/0 disk"],
    },
  },
  {
    name: "attributes and capabilities",
    few: ["epoch"],
    files: ({ tools }) =>
      loose(
        tools,
        "mkdir t && echo > t/a && setfattr -n user.one -v 1 t/a && setfattr -n user.zero -v 0x00ff t/a && mkdir t/d && setfattr -n user.dir -v d t/d",
        "cp /bin/busybox t/ping && setcap cap_net_raw+ep t/ping && chmod 0711 t/ping && ln t/ping t/pong",
      ),
    layers: ["t"],
    entries: ["-rwx--x--x* 0/0 ping", "-rw-r--r--* 0/0 a", "drwxr-xr-x* 0/0 d/"],
  },
  {
    name: "files with holes",
    few: ["epoch"],
    files: ({ base }) =>
      loose(
        base,
        "mkdir t && truncate -s 3M t/hole && truncate -s 1M t/end && echo x >> t/end && echo x | dd of=t/middle bs=1 seek=700000 conv=notrunc 2>/dev/null && truncate -s 2M t/middle",
      ),
    layers: ["t"],
    entries: ["-rw-r--r-- 0/0 hole", "-rw-r--r-- 0/0 middle"],
  },
  {
    name: "times: fractions, before 1970, after the epoch",
    few: ["epoch"],
    // Elsewhere times do not count, and BuildKit rounds them in its own way.
    grounds: ["epoch"],
    files: ({ tools }) =>
      loose(
        tools,
        `mkdir -p t/d && for time in 0.3 0.7 1000000000.3 1000000000.7 1000000000.999999999 1600000000.5 -1.5 -1 2000000000.2; do ${gnuTouch} -d @$time t/at$time; done`,
        `ln -s x t/link && ${gnuTouch} -h -d @1000000000.7 t/link && mkfifo t/fifo && ${gnuTouch} -d @1000000000.7 t/fifo t/d t`,
      ),
    args: () => ["--allow-devices"],
    layers: ["t"],
    entries: ["-rw-r--r-- 0/0 at1000000000.7 @1000000000", "-rw-r--r-- 0/0 at-1.5 @-2"],
  },
  {
    name: "times that count, with --reuse=exact",
    files: ({ tools }) =>
      loose(
        tools,
        `mkdir t && echo > t/a && ${gnuTouch} -d @1000000000.7 t/a && ${gnuTouch} -d @1000000000 t`,
      ).replace("OUTPUT", "OUTPUT --reuse=exact"),
    layers: ["t"],
    entries: ["-rw-r--r-- 0/0 a @1000000000"],
  },
];
