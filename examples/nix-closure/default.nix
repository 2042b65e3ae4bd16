# Three derivations that need no network: a shell, a greeting, and a program that uses both.
{ greeting ? "Hello from a Nix closure" }:
let
  make = name: script: env: derivation ({
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/busybox";
    args = [ "sh" "-c" script ];
  } // env);
  shell = make "shell-1.0" ''
    /bin/busybox mkdir -p $out/bin
    /bin/busybox cp /bin/busybox $out/bin/sh
  '' { };
  text = make "greeting-1.0" ''
    /bin/busybox mkdir -p $out/share
    echo "$greeting" > $out/share/greeting
  '' { inherit greeting; };
in
make "hello-1.0" ''
  /bin/busybox mkdir -p $out/bin
  {
    echo "#!$shell/bin/sh"
    echo "while read -r line; do echo \"\$line\"; done < $text/share/greeting"
  } > $out/bin/hello
  /bin/busybox chmod +x $out/bin/hello
'' { inherit shell text; }
