import { afterAll, beforeAll, expect, test } from 'vitest';
import { inSession, newShells, startRig, type Rig } from '../../shared/tools/rig.ts';

/**
 * What agents type into bash, beside what a bash says: each row was another result without any error, or no
 * command at all. Expected is what bash 5.2 and the GNU tools gave.
 */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

const answer = newShells(() => rig, 'everyday');

test.each([
  [
    'echo $((1<<40)) $((192<<24)) $((1099511627776 >> 4)) $((-5 >> 1)) $((~0))',
    '1099511627776 3221225472 68719476736 -3 -1',
  ],
  [
    'x=4294967297; echo $((x & 4294967295)) $((x | 2)) $((x ^ 1)) $((-1 & x)); echo $((x <<= 2)) $x',
    '1 4294967299 4294967296 4294967297\n17179869188 17179869188',
  ],
  [
    'echo $((9223372036854775807)); echo on',
    'on\nbash: whole numbers beyond 2^53 are not exact in this shell: use python3 or bc',
  ],
  [
    'd="2026-01-02 00:00"; echo $(( $(date -u -d "$d" +%s) / 86400 )) $(( ($(printf "%s" "4 ") + 1) * 2 ))',
    '20455 10',
  ],
  [
    'mkdir -p src/{lib,bin}/{a,"b c"}; ls -d src/*/*; echo {1..3} x{,y,"$((1 + 1))"}z; IFS=-; set -- p q; echo {"$*",r}',
    'src/bin/a\nsrc/bin/b c\nsrc/lib/a\nsrc/lib/b c\n1 2 3 xz xyz x2z\np-q r',
  ],
  ['for ((i=${x?is not set}; i<1; i++)); do :; done', '! bash: is not set\n[exit code 1]'],
  [
    'declare -A n; for k in a b a; do n[$k]=$(( ${n[$k]:-0} + 1 )); done; echo ${n[a]} ${n[b]}',
    '2 1',
  ],
  [
    't=12:34; echo $(( ${t%%:*} * 60 + ${t##*:} )); d=2026-08-09; echo $((10#${d:5:2} + 1)); (( ${#t} > 4 )) && echo long',
    '754\n9\nlong',
  ],
  ['c="echo a  b"; $c; f() { echo "<$1>"; }; g=f; $g "x y"', 'a b\n<x y>'],
  ['read -r a b <<< "é ü"; echo "${#a}"; echo "$b" | od -An -tx1', '1\n c3 bc 0a'],
  [
    `printf 'é\\nü\\n' > f; mapfile -t l < f; echo "\${l[1]}" | od -An -tx1; read -ra w < f; echo \${#w[0]}`,
    ' c3 bc 0a\n1',
  ],
  [
    'echo a | if true; then cat; fi; echo b | case x in x) cat;; esac; echo c | for i in 1; do cat; done',
    'a\nb\nc',
  ],
  [
    `a=(3 1 2); IFS=$'\\n' s=($(sort <<< "\${a[*]}")); echo "\${s[@]}"; IFS=- x="\${a[*]}"; echo "<$x>"; set -- a b; y="$*"; echo $y; f() { local IFS=,; local z="<$*>"; echo "$z"; [[ "$*" == p,q ]] && echo eq; }; f p q; false; w="$*$?"; echo "$w"; a=(x "" ""); IFS=$'\\n'; v="\${a[*]}"; echo \${#v}`,
    '1 2 3\n<3-1-2>\na b\n<p,q>\neq\na-b1\n3',
  ],
  [
    'echo a > x; ln -s x l; mkdir d; ln -s d e; rm x; rm -f l; rm -v e; ls; rm l; rm -r d; ln -s nope m; : > -f; rm -i m 2>/dev/null; rm -- m -f; ls | wc -l',
    "removed 'e'\nd\n0\nrm: cannot remove 'l': No such file or directory",
  ],
  ['echo x > "ü.txt"; find . -name "ü*" | while read -r f; do cat "$f"; done', 'x'],
  [
    'mkdir a "b c" .h; touch f a/x; ln -s a l; ln -s nope m; ln -s f n; for d in */; do echo "<$d>"; done; echo l/* ./*/ */*; cd a; echo */; shopt -s nullglob; echo */; cd ..; echo */x; set -- "$PWD"/*/; echo $# .*/',
    '<a/>\n<b c/>\n<l/>\nl/x ./a/ ./b c/ ./l/ a/x l/x\n*/\n\na/x l/x\n3 .h/',
  ],
  [
    'mkdir d; echo x > d/f; ln -s f d/l; ln -s nope d/m; ln -s d e; tar cf t.tar d e; rm -r d e; tar xf t.tar; readlink d/l d/m e; cat e/l; tar tf t.tar | sort',
    'f\nnope\nd\nx\nd/\nd/f\nd/l\nd/m\ne',
  ],
])('the shell: %s', async (command, expected) => {
  expect(await answer(command)).toBe(expected);
});

const script = (first: string, ...lines: string[]) =>
  `cat > s <<'EOF'\n${[first, ...lines].join('\n')}\nEOF\nchmod +x s`;

test.each([
  [script('#!/usr/bin/awk -f', '{ print "awk", $1 }'), 'echo a b | ./s', 'awk a'],
  [script('#!/usr/bin/env -S jq -f', '.a'), 'echo "{}" > f; ./s f', 'null'],
  [
    script('#!/usr/bin/env node', '1'),
    './s || echo $?',
    '127\n./s: its first line asks for node, which is not here',
  ],
  [
    script('#!/bin/bash', '[[ "${BASH_SOURCE[0]}" == "$0" ]] && echo "main $1 $((1<<33))"; exit 3'),
    './s "a b" | cat; ./s x; echo $?',
    'main a b 8589934592\nmain x 8589934592\n3',
  ],
])('a script by its path: %s', async (before, command, expected) => {
  expect(await answer(command, before)).toBe(expected);
});

test('a function that is kept is what was written, call for call', async () => {
  const use = inSession(rig, 'sesn_function');
  await use('bash', { command: 'f() { echo $(( $1 << 33 )) > "$2"; cat "$2"; }' });
  for (let nth = 1; nth <= 3; nth++) {
    expect(await use('bash', { command: `f ${nth} o` })).toBe(String(nth * 2 ** 33));
  }
  expect(
    await use('bash', { command: 'declare -f f | wc -l; set | grep -c __arithmetic' }),
  ).toMatch(/\n0/);
});

const lists = `printf '1 alice\\n2 bob\\n3 carol\\n' > l; printf '1 x\\n3 y\\n' > r; printf 'b\\nB\\na\\nA\\nb\\n' > w; printf 'a,1\\nb,2\\n' > c`;

test.each([
  ['sort w; sort -u w | comm -12 - <(printf "A\\nb\\n")', 'A\nB\na\nb\nb\nA\nb'],
  [
    'printf "10\\n9\\n1e2\\n" | sort -g; printf "2G\\n1K\\n" | sort -h; printf "v1.10\\nv1.9\\n" | sort -V',
    '9\n10\n1e2\n1K\n2G\nv1.9\nv1.10',
  ],
  [
    'printf "x 2 b\\ny 10 a\\nz 2 a\\n" | sort -k2,2nr -k3; sort -t, -k2nr c',
    'y 10 a\nz 2 a\nx 2 b\nb,2\na,1',
  ],
  ['sort -c w || echo no; sort -o w w; sort -c w && head -1 w', 'no\nA\nsort: -:2: disorder: B'],
  [
    'printf "b\\0a\\0" | sort -z | tr "\\0" ","; sort nope; echo $?',
    'a,b,2\nsort: cannot read: nope: No such file or directory',
  ],
  [
    'printf "a 1\\nb 1\\nc 2\\n" | uniq -c -f1; sort w | uniq -ci; sort w | uniq -d',
    '      2 a 1\n      1 c 2\n      1 A\n      1 B\n      1 a\n      2 b\nb',
  ],
  [
    `awk -v OFS='\\t' '{print $2,$1}' l | head -1; awk 'NR==FNR{a[$1];next} !($1 in a)' r l`,
    'alice\t1\n2 bob',
  ],
  [`echo '{print "f", $1}' > p; awk -f p r; awk '{print $1}' FS=, c`, 'f 1\nf 3\na\nb'],
  [
    `awk 'BEGIN{RS=";"}1' c || echo $?`,
    '2\nawk: RS is not known here, records are lines: use tr before it, or python3',
  ],
  ['sort <<EOF\nü\né\nEOF\nhead -n -1 <<< $\'é\\nü\'; uniq < <(printf "é\\né\\n")', 'é\nü\né\né'],
  [`seq 150000 | awk '{s+=$1} END{print s}'`, '11250075000'],
  [`seq 12000 | { while read -r n; do :; :; :; :; :; :; last=$n; done; echo $last; }`, '12000'],
  [
    `sed 's/a/\\U&/' c || echo no`,
    'no\nsed: \\U, \\L, \\u, \\l and \\E are not known here: use awk (toupper, tolower) or python3',
  ],
  [`sed '1a\\new' c; sed --expression='s/a/x/' c | head -1`, 'a,1\nnew\nb,2\nx,1'],
  [
    'head -n -2 l; head -c -2 c | tail -c 3; tail -c +5 c; head -qn1 l r',
    '1 alice\n\nb,b,2\n1 alice\n1 x',
  ],
  [
    'grep -e alice -e carol l; grep -F -e a, -e b, c; grep -oP "(?<=,)\\d" c; grep --color=never -c a c',
    '1 alice\n3 carol\na,1\nb,2\n1\n2\n1',
  ],
  [
    String.raw`grep -c 'al\?i\+' l; grep -o 'o\+' l; grep -v '[0-9] [ab]\+' l; grep -A1 'ali\+' l | tail -1; grep 'a\\+' l || echo no`,
    '1\no\no\n3 carol\n2 bob\nno',
  ],
  [
    String.raw`grep -o '[0-9]*' l | paste -sd,; grep -no '[b-d]*' l | head -3 | paste -sd,; grep -oE '(ar|x)?' l; grep -oc '[a-z1]*' c; grep -hoF '' l c; echo $?`,
    '1,2,3\n1:c,2:b,2:b\nar\n2\n0',
  ],
  [
    String.raw`mkdir -p q; echo b > q/x; grep -ro 'b*' q; grep -c '\<b' l; grep -cE '\<[a-z]+l\>' l; grep -o '[^a-z ]*\>' l | paste -sd,; grep -o '(*' <<< 'f((x'; grep -oE '\(*x?' <<< 'f((x'`,
    "1\n1\n1,2,3\n((\n((x\ngrep: with these options an expression that nothing fits too ('b*') is not known here: write one that finds something, as with \\+ for *",
  ],
  [
    String.raw`grep -o '$[0-9.]*' <<< 'cost $5.20'; grep -o '\[.*]' <<< 'a [b] c'; grep -oE '\{[^}]*}?' <<< 'x {y}'; grep -oE '\d+\.?\d*' <<< 'a 1.5'; grep -oE 'x{,2}z?' <<< 'xxz'; grep -ow '[a-z]*' <<< 'ab c1 d'; grep -oP '\d*' <<< 'a12b3'`,
    '$5.20\n[b]\n{y}\n1.5\nxxz\nab\nd\n12\n3',
  ],
  [
    String.raw`mkdir -p q; grep -o '[0-9]*' l none q 2>&1; echo $?; : > e; grep -oc '[a-z]*' e; grep -oq 'x*' e || echo none; grep -o 2>/dev/null; echo $?; grep -e a -o l | wc -l; grep -o --only-matching 'b*' l`,
    'l:1\nl:2\nl:3\ngrep: none: No such file or directory\ngrep: q: Is a directory\n2\n0\nnone\n2\n2\nb\nb',
  ],
  [
    `echo '"a b" c' | xargs -n1; echo 'a\\ b' | xargs printf '[%s]'; echo; echo "it's" | xargs; echo $?`,
    'a b\nc\n[a b]\n1\nxargs: unmatched single quote; by default quotes are special to xargs unless you use the -0 option',
  ],
  [
    'touch -d "2026-01-02 03:04:05 UTC" c; stat -c "%n %s %Y %a %A %F%%" c; stat --printf="%s\\n" c; ln -s c k; stat -c "%N %F" k; stat -Lc %y k; stat --printf="[%-4s|%04s]" c; echo; stat -c -%s c; stat -c %s none; stat -c %s; stat -c %q c',
    "c 8 1767323045 644 -rw-r--r-- regular file%\n8\n'k' -> 'c' symbolic link\n2026-01-02 03:04:05.000000000 +0000\n[8   |0008]\n-8\nstat: cannot statx 'none': No such file or directory\nstat: missing operand\nstat: '%q' is not known here\n[exit code 1]",
  ],
  [
    'date -u -d 2026-03-05 "+%-e|%%-d|100%%-done"; date -u -d "Sat, Mar 7 2026" +%-d; date -u -d 2026-03-05 "+%-d %-m %_d %^a %d %-H"; touch -d "2026-01-02 03:04:05 UTC" c; date -u -r c +%F; date -r none +%F',
    '5|%-d|100%-done\n7\n5 3  5 THU 05 0\n2026-01-02\ndate: none: No such file or directory\n[exit code 1]',
  ],
  [
    'at() { date -u -d "$1" +%u:%H:%M; }; at friday; at "next mon"; at "last Sunday"; at "this wednesday"; days() { echo $(( ($(date -u -d "$1" +%s) - $(date -u -d "today 00:00" +%s)) / 86400 )); }; n=$(days "next tuesday"); [ $n -gt 0 ] && [ $n -le 7 ] && echo ok; n=$(days "last tuesday"); [ $n -lt 0 ] && [ $n -ge -7 ] && echo ok; date -u -d "Mon, 5 Jan 2026" +%F; at "tomorrow 08:30" | cut -d: -f2-; [ $(date -u -d 08:30 +%F) = $(date -u +%F) ] && at 08:30:15 | cut -d: -f2-',
    '5:00:00\n1:00:00\n7:00:00\n3:00:00\nok\nok\n2026-01-05\n08:30\n08:30',
  ],
  [
    'diff l r | grep "^[<>0-9]"; diff l l && echo same',
    '1,3c1,2\n< 1 alice\n< 2 bob\n< 3 carol\n> 1 x\n> 3 y\nsame',
  ],
  [
    'env FOO=1 bash -c \'echo $FOO\'; env -i A="x y" bash -c \'echo "$A[$FOO]"\'; env | grep -c IFS',
    '1\nx y[]\n0\n[exit code 1]',
  ],
  [
    'for d in "2026-01-31 +1 month" "2026-03-01 -1 day" "2026-11-29 + 2 weeks" "2026-02-28 next day" "2026-03-01 1 year ago"; do date -d "$d" +%F; done',
    '2026-03-03\n2026-02-28\n2026-12-13\n2026-03-01\n2025-03-01',
  ],
  [
    'n=$(date +%s); echo $(( (n - $(date -d "3 days ago" +%s) + 5) / 86400 )) $(( ($(date --date="tomorrow" +%s) - n + 5) / 86400 )); date -u -d "2026-11-29 10:00 UTC 90 minutes" +%R',
    '3 1\n11:30',
  ],
])('text: %s', async (command, expected) => {
  expect((await answer(command, lists)).replace(/^! /, '')).toBe(expected);
});

const people = `echo '[{"a":1,"k":"y","n":"Ann"},{"a":1,"k":"x","n":"Bob"},{"a":0,"k":"y","n":"Cy"}]' > p.json`;

test.each([
  [
    `jq -c 'group_by(.k)|map([.[].n])' p.json; jq -c 'sort_by(.a, .k)|map(.n)' p.json`,
    '[["Bob"],["Ann","Cy"]]\n["Cy","Bob","Ann"]',
  ],
  [`jq -r '.[]|[.a,.n]|@csv' p.json | head -1; jq -j '.[].n' p.json`, '1,"Ann"\nAnnBobCy'],
  [
    `jq -c 'walk(if type=="number" then .+1 else . end)|.[0]' p.json; printf '1 2' | jq -n '[inputs]|add'`,
    '{"a":2,"k":"y","n":"Ann"}\n3',
  ],
  [
    `jq -e '.[0].z' p.json; echo $?; jq '.[' p.json 2>/dev/null; echo $?; jq . none; echo $?`,
    'null\n1\n3\n2\njq: error: Could not open none: No such file or directory',
  ],
  [
    `export V=ü; jq -n 'env.V, $ENV.V'; jq -n --arg a é --argjson b '{"c":1}' '$a,$b.c' -c; jq -c --slurpfile s p.json -n '$s[0]|length'`,
    '"ü"\n"ü"\n"é"\n1\n3',
  ],
  [
    `jq -n '"2026-11-29"|strptime("%Y-%m-%d")|mktime|todate'; jq -Rsc 'split("\\n")' <<< a`,
    '"2026-11-29T00:00:00Z"\n["a",""]',
  ],
])('jq: %s', async (command, expected) => {
  expect(await answer(command, people)).toBe(expected);
});

test.each([
  [
    'printf "ab\\xff\\n" > f; xxd f; xxd -p f; xxd -p f | xxd -r -p | cmp - f && echo same',
    '00000000: 6162 ff0a                                ab..\n6162ff0a\nsame',
  ],
  [
    'printf abcdefgh > f; dd if=f of=g bs=2 skip=1 count=2 status=none; cat g; dd if=/dev/zero bs=1K count=2 2>/dev/null | wc -c; dd if=f of=g bs=1 seek=1 conv=notrunc count=1 2>/dev/null; cat g',
    'cdef2048\ncaef',
  ],
  [
    'printf abc > f; cmp f <(printf abd); cmp f none; echo $?; truncate -s 5 f; wc -c < f; truncate -s -4 f; cat f',
    'f /dev/fd/63 differ: byte 3, line 1\n2\n5\nacmp: none: No such file or directory',
  ],
  [
    'seq 9 | shuf | sort -n | paste -sd,; shuf -i 1-3 -n 2 | wc -l; shuf -e a b c | sort | paste -sd,',
    '1,2,3,4,5,6,7,8,9\n2\na,b,c',
  ],
  [
    'printf x > f; openssl dgst -sha256 -hmac key f; openssl md5 -r f; openssl rand -hex 8 | wc -c; echo hi | openssl base64; openssl x509; true',
    'HMAC-SHA2-256(f)= 145c0c5d8bb3d3fcf31e4cd4bcc3d7b0ef1f9d53e0a7d1fbb9c16d8f6b2ba7d3',
  ],
  [
    'printf x > f; sha512sum f | cut -c1-16; sha512sum f > s; sha512sum -c s; b2sum f | cut -c1-8',
    'a4abd4448c49562d\nf: OK',
  ],
  [
    "echo '2^64; scale=3; 22/7; -7/2; 1.5*3; x=3; x^2; sqrt(2)' | bc; echo 'obase=16; 255' | bc; echo '4*a(1)' | bc -l; echo 1/0 | bc",
    '18446744073709551616\n3.142\n-3.500\n4.5\n9\n1.414\nFF\n3.14159265358979323844\nbc: divide by zero\n[exit code 1]',
  ],
  [
    'printf "a\\nb\\nc\\n" > f; sed s/b/B/ f > g; diff -u f g > d; patch f d; cat f; patch -R f < d; cat f; patch -p0 < d; patch f d; echo $?',
    'patching file f\na\nB\nc\npatching file f\na\nb\nc\npatching file f',
  ],
  [
    'uname -sm; nproc; id -un; printf "caf\\xe9" | iconv -f latin1 -t utf-8; echo; echo é | iconv -t ascii//TRANSLIT; A=1 envsubst <<< \'${A}$B.\'; nohup echo n',
    'Linux x86_64\n1\nuser\ncafé\ne\n1.\nn',
  ],
])('commands: %s', async (command, expected) => {
  const said = (await answer(command)).replace(/^! /, '');
  if (expected.startsWith('HMAC'))
    expect(said).toMatch(
      /^HMAC-SHA2-256\(f\)= [\da-f]{64}\n[\da-f]{32} \*f\n17\naGkK\nopenssl: 'x509' is not known/,
    );
  else if (/^(a4abd|patching)/.test(expected)) expect(said.startsWith(expected)).toBe(true);
  else expect(said).toBe(expected);
});
