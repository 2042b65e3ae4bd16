/** Every form of heredoc, each of which writes a file into /t. */
export const heredocs = String.raw`RUN <<EOF
# no comment of the Containerfile's
mkdir -p /t
echo "one \\ \$HOME a\": b" /etc/pass* > /t/script
  echo 'two "quoted"	tab' >> /t/script \
    && echo end >>/t/script
EOF
RUN <<-"EOF"
	printf '%s\n' "$A" > /t/tabs
		echo $A >> /t/tabs
	EOF
RUN cat - /dev/fd/3 <<A 3<<'B' > /t/several
first $A
A
second $A
B
RUN <<EOF cat > /t/stdin
$A
EOF
RUN <<EOF
#!/bin/awk -f
BEGIN { print "awk", ENVIRON["A"] > "/t/program" }
EOF
COPY <<plain <<-'quoted' /t/
$A \$A "$A" '$UNSET' a\b
plain
	$A
	quoted
COPY --chmod=750 --chown=1000 <<EOF /t/owned
EOF
USER app
RUN <<EOF
id -u > /tmp/id
EOF
USER root
RUN mv /tmp/id /t/id
`;
