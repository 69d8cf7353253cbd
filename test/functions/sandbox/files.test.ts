import { afterAll, beforeAll, expect, test } from 'vitest';
import { newShells, startRig, type Rig } from '../../shared/tools/rig.ts';

/**
 * Files that are looked for, listed, compared and made with a mode, beside what the GNU commands do: each row was
 * refused, or said something else. Expected is what bash 5.2, findutils 4.9, diffutils 3.8 and coreutils 9 gave.
 */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

const answer = newShells(() => rig, 'files');

test.each([
  [
    "mkdir -p d/e; echo x > d/f; echo y > d/run; chmod 755 d/run; ln -s f d/l; ln -s nope d/m; find . -type l | sort; find d -type f,l | sort; find -L d -type f | sort; find d -xtype l; find . -type f -executable; find . -perm -u+x -type f; find . -type f -perm 644; find . -perm /111 -type f; find d -perm 755 | sort; find d -lname 'f*'",
    './d/l\n./d/m\nd/f\nd/l\nd/m\nd/run\nd/f\nd/l\nd/run\nd/m\n./d/run\n./d/run\n./d/f\n./d/run\nd\nd/e\nd/run\nd/l',
  ],
  [
    "mkdir -p a/b; touch -d 2020-01-01 a/old; touch a/new; find a -newermt 2021-01-01 -type f; find a -type f ! -newermt '2021-01-01 10:00'; find a -mtime +30; find a -type f -mmin -5; find a -newer a/old -type f; find a -newermt rubbish; echo $?",
    "a/new\na/old\na/old\na/new\na/new\n1\nfind: I cannot figure out how to interpret 'rubbish' as a date or time",
  ],
  [
    "mkdir -p s/n/x .git; echo hi > s/a.txt; echo ho > s/n/b.txt; touch s/n/x/c.TXT; find s -name '*.txt' -exec grep -q hi {} \\; -print; find s -name n -prune -o -type f -print; find . -path './s/n/*' | sort; find s -iname '*.txt' -exec cat {} + | sort; find s -type f -exec sh -c 'echo \"got $1\"' _ {} \\; | sort; find s -maxdepth 1 -mindepth 1 | sort; find s -empty; find . -name .git -prune -o -type d -print | sort",
    's/a.txt\ns/a.txt\n./s/n/b.txt\n./s/n/x\n./s/n/x/c.TXT\nhi\nho\ngot s/a.txt\ngot s/n/b.txt\ngot s/n/x/c.TXT\ns/a.txt\ns/n\ns/n/x/c.TXT\n.\n./s\n./s/n\n./s/n/x',
  ],
  [
    "mkdir -p s/n; touch -d '2026-01-02 03:04:05 UTC' s/a; printf 12345 > s/n/b; touch -d '2026-01-02 03:04:05 UTC' s/n/b; find s -type f -printf '%p|%f|%h|%P|%s|%m|%M|%y|%d\\n' | sort; find s -type f -printf '%T@ %TY-%Tm-%Td %TH:%TM %T+\\n' | sort -u; find s -type f -printf '%-3f]%5s\\n' | sort; find s -name b -printf '%t|%k\\t%%\\n'",
    's/a|a|s|a|0|644|-rw-r--r--|f|1\ns/n/b|b|s/n|n/b|5|644|-rw-r--r--|f|2\n1767323045.0000000000 2026-01-02 03:04 2026-01-02+03:04:05.0000000000\na  ]    0\nb  ]    5\nFri Jan  2 03:04:05.0000000000 2026|4\t%',
  ],
  [
    'mkdir -p s/n; touch s/a s/n/b; find s -name b -delete; find s | sort; find s -delete; ls; find nope; echo $?; find . -foo; echo $?; find . -name; echo $?; find . -maxdepth x; echo $?',
    "s\ns/a\ns/n\n1\n1\n1\n1\nfind: 'nope': No such file or directory\nfind: unknown predicate `-foo'\nfind: missing argument to `-name'\nfind: Expected a positive decimal integer argument to -maxdepth, but got 'x'",
  ],
  [
    "mkdir s; touch s/a1 s/b2 's/c d'; find s -regex '.*/[ab][0-9]' | sort; find s -regex '.*\\(a\\|c\\).*' | sort; find s \\( -name 'a*' -o -name 'b*' \\) -print0 | xargs -0 ls; find s -type f -size -1k | wc -l; find s -not -name 'a*' -type f | sort; find s -name 'a*' , -name 'b*'",
    's/a1\ns/b2\ns/a1\ns/c d\ns/a1\ns/b2\n3\ns/b2\ns/c d\ns/b2',
  ],
  [
    'mkdir s; head -c 1500 /dev/zero > s/a; find s -type f -size 2k; find s -type f -size +1k; find s -type f -size -2k; find s -size 1500c; find s -type f -size +1M; cd s && find . -type f -execdir echo {} \\; ; find; find . -maxdepth 0; find ./ -type f; find / -maxdepth 0',
    's/a\ns/a\ns/a\n./a\n.\n./a\n.\n./a\n/',
  ],
  [
    "mkdir -p a/b; touch a/b/f; find a -depth; find a -name b -quit -print; find a -type d -exec rm -rf {} \\; ; ls; for i in 1 2 3; do mkdir -p d/$i; echo $i > d/$i/f; done; find d -name f -exec mv {} {}.bak \\; ; find d -name '*.bak' | wc -l; find d -name f -exec false {} +; echo $?",
    "a/b/f\na/b\na\n3\n0\nfind: 'a': No such file or directory",
  ],
  [
    "mkdir -m 700 d; mkdir -p -m 750 a/b d; mkdir --mode=u=rwx,go= e; mkdir -m u=rwx,g=rx -p f/g; stat -c '%a %n' d a a/b e f/g; mkdir -m +w q; stat -c %a q; mkdir -m 9 z; mkdir d; echo $?",
    "700 d\n755 a\n750 a/b\n700 e\n757 f/g\n777\n1\nmkdir: invalid mode '9'\nmkdir: cannot create directory 'd': File exists",
  ],
  [
    'umask; umask -S; umask 022; umask u=rwx,g=rx,o=rx; umask 0022; echo $?',
    '0022\nu=rwx,g=rx,o=rx\n0',
  ],
  [
    'touch x/; echo $?; mkdir d; touch d/ y; ls; : > f; touch f/; echo $?',
    "1\nd\ny\n1\ntouch: setting times of 'x/': No such file or directory\ntouch: setting times of 'f/': Not a directory",
  ],
  [
    "echo x > f; install f g; stat -c '%a %n' g; install -m 644 f g; stat -c '%a %n' g; install -d a/b c; stat -c '%a %n' a a/b c; install -m 600 -D f x/y/z; stat -c '%a %n' x/y/z; install -m 755 f g c; ls c; install -Dm755 f usr/bin/f; stat -c %a usr/bin/f; install -t c -m 600 f; stat -c %a c/f; install -d -m 700 s; stat -c %a s; install none g; echo $?",
    "755 g\n644 g\n755 a\n755 a/b\n755 c\n600 x/y/z\nf\ng\n755\n600\n700\n1\ninstall: cannot stat 'none': No such file or directory",
  ],
  [
    'mkdir -p a/s b/s b/t; echo 1 > a/f; echo 2 > b/f; echo x > a/only; echo s > a/s/g; echo s > b/s/g; echo z > b/s/h; diff -r a b; echo $?; diff -rq a b; diff a b; echo $?; diff -r a a; echo $?; diff -rq a b -x s; diff --recursive --brief --exclude=only a b; diff -r a none; echo $?; diff -r a/f b/f | head -1',
    'diff -r a/f b/f\n1c1\n< 1\n---\n> 2\nOnly in a: only\nOnly in b/s: h\nOnly in b: t\n1\nFiles a/f and b/f differ\nOnly in a: only\nOnly in b/s: h\nOnly in b: t\ndiff a/f b/f\n1c1\n< 1\n---\n> 2\nOnly in a: only\nCommon subdirectories: a/s and b/s\nOnly in b: t\n1\n0\nFiles a/f and b/f differ\nOnly in a: only\nOnly in b: t\nFiles a/f and b/f differ\nOnly in b/s: h\nOnly in b: t\n2\n1c1\ndiff: none: No such file or directory',
  ],
  [
    "mkdir -p a b/t; echo 1 > a/f; echo 2 > b/f; echo n > b/t/n; diff -ruN a b | grep -v '^@\\|^[-+][-+]'; diff -rN a b; diff -Nrq a b; mkdir a/f2; touch b/f2; diff -r a b",
    'diff -ruN a/f b/f\n-1\n+2\ndiff -ruN a/t/n b/t/n\n+n\ndiff -rN a/f b/f\n1c1\n< 1\n---\n> 2\ndiff -rN a/t/n b/t/n\n0a1\n> n\nFiles a/f and b/f differ\nFiles a/t/n and b/t/n differ\ndiff -r a/f b/f\n1c1\n< 1\n---\n> 2\nFile a/f2 is a directory while file b/f2 is a regular empty file\nOnly in b: t\n[exit code 1]',
  ],
  [
    "mkdir d; echo abc > d/f; ln -s f d/l; ln -s nope d/m; chmod 755 d/f; ls -l d | sed 's/ [A-Z][a-z][a-z] .*:[0-9][0-9]//; s/root root/user user/'; ls -ld d d/l | cut -c1-10; ls -lF d | sed 's/.*:[0-9][0-9] //'; ls -F d; ls -L d/m; ls -lL d/l | cut -c1-10; ls -1p",
    "total 4\n-rwxr-xr-x 1 user user 4 f\nlrwxrwxrwx 1 user user 1 l -> f\nlrwxrwxrwx 1 user user 4 m -> nope\ndrwxr-xr-x\nlrwxrwxrwx\ntotal 4\nf*\nl -> f*\nm -> nope\nf*\nl@\nm@\n-rwxr-xr-x\nd/\nls: cannot access 'd/m': No such file or directory",
  ],
  [
    'mkdir -p x/y; touch a b x/c x/.h; ls; ls -a x; ls -A x; ls -R; ls a x b; ls x/y; ls nope; echo $?; ls -d x; ls a nope x; ls -r; ln -s x k; ls k; ls k/; ls --color=auto -1 a',
    "a\nb\nx\n.\n..\n.h\nc\ny\n.h\nc\ny\n.:\na\nb\nx\n\n./x:\nc\ny\n\n./x/y:\na\nb\n\nx:\nc\ny\n2\nx\na\n\nx:\nc\ny\nx\nb\na\nc\ny\nc\ny\na\nls: cannot access 'nope': No such file or directory\nls: cannot access 'nope': No such file or directory",
  ],
  [
    "touch -d '2020-01-02 03:04:05 UTC' a; printf %2000s x > b; touch -d '2020-02-02 03:04:05 UTC' b; ls -l | sed 's,root,user,g'; ls -lh b | sed 's,root,user,g'; ls -lt | tail -1 | awk '{print $NF}'; ls -l --time-style=long-iso a | awk '{print $6,$7,$8}'; ls -l --full-time a | awk '{print $6,$7,$8}'; ls -lrt | awk '{print $9}'; ls -s b; ls -og a",
    'total 4\n-rw-r--r-- 1 user user    0 Jan  2  2020 a\n-rw-r--r-- 1 user user 2000 Feb  2  2020 b\n-rw-r--r-- 1 user user 2.0K Feb  2  2020 b\na\n2020-01-02 03:04 a\n2020-01-02 03:04:05.000000000 +0000\n\na\nb\n4 b\n-rw-r--r-- 1 0 Jan  2  2020 a',
  ],
  [
    'mkdir -p d/e; head -c 5000 /dev/zero > d/f; echo x > d/e/g; du -k d; du -sk d; du -h d/f; du -sh d; du -a d | sort; du -d 0 d; du --max-depth=1 d | tail -1; du -ck d/f d/e/g; du -b d/f; du -m d/f; cd d; du -s; du; du none; echo $?; du -s f e',
    "4\td/e\n12\td\n12\td\n8.0K\td/f\n12K\td\n12\td\n4\td/e\n4\td/e/g\n8\td/f\n12\td\n12\td\n8\td/f\n4\td/e/g\n12\ttotal\n5000\td/f\n1\td/f\n12\t.\n4\t./e\n12\t.\n1\n8\tf\n4\te\ndu: cannot access 'none': No such file or directory",
  ],
  ['yes | head -2; yes no way | head -1; yes | head -n 1000 | wc -l', 'y\ny\nno way\n1000'],
  [
    "mkdir d; echo x > d/run; chmod 755 d/run; echo y > d/f; zip -qr a.zip d; rm -r d; unzip -q a.zip; stat -c '%a %n' d d/run d/f; cat d/run; echo z > d/n; zip -q a.zip d/n; rm -r d; unzip -qo a.zip; stat -c '%a %n' d/run d/n; python3 -c 'import zipfile; print(sorted(zipfile.ZipFile(\"a.zip\").namelist()))'",
    "755 d\n755 d/run\n644 d/f\nx\n755 d/run\n644 d/n\n['d/', 'd/f', 'd/n', 'd/run']",
  ],
  [
    'mkdir p; cd p; realpath none; realpath no/ne; echo $?; readlink -f none; readlink -f no/ne; echo $?; realpath -m no/ne; readlink -m no/ne; realpath -e none; echo $?; ln -s nope l; readlink -f l; readlink -e l; echo $?; realpath --relative-to=.. l; realpath -s l; realpath .; readlink l; readlink none; echo $?; ln -s no/pe k; readlink -f k; echo $?',
    '/workspace/p/none\n1\n/workspace/p/none\n1\n/workspace/p/no/ne\n/workspace/p/no/ne\n1\n/workspace/p/nope\n1\np/nope\n/workspace/p/l\n/workspace/p\nnope\n1\n1\nrealpath: no/ne: No such file or directory\nrealpath: none: No such file or directory',
  ],
])('%s', async (command, expected) => {
  expect((await answer(command)).replace(/^! /, '')).toBe(expected);
});

test.each([
  [
    "printf '%s\\n' \"trap 'echo bye \\$?' EXIT\" 'echo hi; (exit 9); x=$(exit 8); exit 3' > s.sh; bash s.sh; echo $?; chmod +x s.sh; ./s.sh | cat; sh s.sh; sh -c 'trap \"echo end\" EXIT; echo a'; bash -c 'set -e; trap \"echo end\" EXIT; false; echo never'; echo $?",
    'hi\nbye 3\n3\nhi\nbye 3\nhi\nbye 3\na\nend\nend\n1',
  ],
  [
    "printf '%s\\n' '#!/bin/bash' 'set -euo pipefail' 'tmp=$(mktemp -d)' 'cleanup() { local s=$?; rm -rf \"$tmp\"; echo \"cleaned $s\"; }' 'trap cleanup EXIT INT TERM' 'echo x > \"$tmp/f\"; cat \"$tmp/f\"' 'echo \"$1\"; cd /; grep -q nope \"$tmp/f\" || true; [ \"$1\" = stop ] && exit 4; grep -q nope \"$tmp/f\"' 'echo never' > s.sh; bash s.sh arg; echo $?; bash s.sh stop; echo $?",
    'x\narg\ncleaned 1\n1\nx\nstop\ncleaned 4\n4',
  ],
  [
    'bash -c \'trap "echo a" EXIT; trap - EXIT; echo b\'; bash -c \'trap "exit 7" EXIT; exit 2\'; echo $?; bash -c \'trap "echo one" EXIT; trap "echo two" EXIT; trap -p\'; bash -c \'a=(1 2); trap "echo \\${a[1]}" EXIT; f() { exit 5; }; f\'; echo $?; bash -c \'trap "echo x" EXIT; false; exit\'; echo $?',
    "b\n7\ntrap -- 'echo two' EXIT\ntwo\n2\n5\nx\n1",
  ],
  [
    "bash -ec 'false; echo no'; echo $?; bash -lc 'echo login'; bash -euo pipefail -c 'echo $0 $1' name one; echo 'echo from $0 $1' | bash -s x; echo 'echo std' | bash; printf 'echo f $1\\n' > f; bash -e f 1; bash -x f 2 2>/dev/null; bash -n f; echo 'if true; then' > g; bash -n g 2>/dev/null; echo $?; bash none; echo $?; bash -c 'echo $#' x 1 2 3; sh -e f 3; bash -- f 4",
    '1\nlogin\nname one\nfrom bash x\nstd\nf 1\nf 2\n2\n127\n3\nf 3\nf 4\nbash: none: No such file or directory',
  ],
  [
    "printf '%s\\n' \"trap 'rm -f lock; echo \\\"\\$x\\\"' 0\" 'x=1; touch lock' 'f() { x=2; return 4; }' f > t.sh; bash t.sh; echo $?; ls; printf '%s\\n' \"trap 'echo done' EXIT\" 'echo in' | bash",
    '2\n4\nt.sh\nin\ndone',
  ],
])('a script and its end: %s', async (command, expected) => {
  expect((await answer(command)).replace(/^! /, '')).toBe(expected);
});

test('the shell of the tool lives on: its end is none that could be waited for, and that is said', async () => {
  expect(await answer("set -e; trap 'echo bye' EXIT INT; echo on")).toBe(
    'on\ntrap: EXIT is not caught here: only the end of a script that bash or sh runs',
  );
  expect(await answer(`bash -c "(trap 'echo bye' EXIT); trap 'echo end' EXIT"`)).toBe(
    'end\ntrap: EXIT is not caught here: only the end of a script that bash or sh runs',
  );
  expect(await answer(`bash -c "trap 'echo bad' ERR INT; false; echo on"`)).toBe(
    'on\ntrap: ERR is not caught here',
  );
});
