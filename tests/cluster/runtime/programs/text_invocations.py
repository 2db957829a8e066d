"""The invocations of text programs that are compared with the real ones, and the files that they are made among."""

from __future__ import annotations

import re
import shlex

FILES = {
    "f": "a\nb\n", "empty": "", "cut": "one\ntwo", "nums": "10 b\n9 a\n100 c\n9 a\n-3 z\n", "words": "apple\nBanana\ncherry\napple\nbanana\n",
    "csv": "name,age,city\nann,31,Oslo\nbob,7,Rome\ncy,100,\n", "tabs": "a\tb\tc\n\tx\n1\t22\t333\n", "log":
    "10:00 INFO start\n10:01 ERROR disk full\n10:02 INFO ok\n10:03 WARN slow\n10:04 ERROR net down\n10:05 INFO end\n",
    "para": "one\n\n\ntwo\nthree\n\n", "bin": "hello world\nabc\0\x01\udcffxyz\n", "zeros": "\0" * 100 + "end",
    "left": "a 1\nb 2\nc 3\n", "right": "a x\nc y\nd z\n", "s1": "".join(f"{n}\n" for n in range(1, 21)),
    "s2": "1\n2\n3\n4\n5\nx\n" + "".join(f"{n}\n" for n in range(7, 19)) + "y\n",
    "long": "The quick brown fox jumps over the lazy dog and runs away into the forest at night\n" * 2,
    "yaml": "kind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: c\n    image: nginx:1.25\n",
    "crlf": "a\r\nb\r\n", "deps": "a b\nb c\na c\n", "sums": "60b725f10c9c85c70d97880dfe8191b3  f\n00000000000000000000000000000000  s1\n",
    "human": "1K\n2M\n512\n3G\n", "vers": "v1.10\nv1.9\nv1.2\n", "months": "Mar\nJan\nDec\n", "prog.awk": "{ print NR \": \" $0 }\n",
    "edit.sed": "s/a/A/\n$d\n", "pats": "ERROR\nWARN\n", "d/inner": "one\ntwo\n", "d/deep/more": "two\n", "d2/inner": "one\n2\n", "d2/only": "x\n",
}

# One command line each; "<NAME" behind it is the file that its standard input comes from.
LINES = r"""
cat f
cat f cut
cat -n f cut
cat -b para
cat -A tabs
cat -v bin
cat -e f
cat nofile
cat f nofile f
cat d
cat - < f
cat -z
cat --nope
tac f
tac cut
tac s1
tac nofile
head s1
head -n 3 s1
head -3 s1
head -n -15 s1
head -c 5 s1
head -c -45 s1
head -n 1 f cut
head -q -n 1 f cut
head -v f
head -n x f
head nofile
head f nofile
head -n 2 < s1
tail s1
tail -n 3 s1
tail -3 s1
tail -n +18 s1
tail -c 4 s1
tail -c +48 s1
tail -n 1 f cut
tail -q -n 1 f cut
tail -n x f
tail nofile
tail -n 0 f
tail -n 2 < s1
grep a f
grep ERROR log
grep -n ERROR log
grep -c INFO log
grep -v INFO log
grep -i error log
grep -l ERROR log f
grep -L ERROR log f
grep -q ERROR log
grep -q NOPE log
grep NOPE log
grep -o '[0-9]*:[0-9]*' log
grep -on 'o' log
grep -w start log
grep -w sta log
grep -x a f
grep -e ERROR -e WARN log
grep -f pats log
grep -A1 ERROR log
grep -B1 ERROR log
grep -C1 WARN log
grep -n -A1 ERROR log
grep -m1 INFO log
grep -m 1 -c INFO log
grep -E 'ERROR|WARN' log
grep -E '^10:0[1-3] (ERROR|WARN)' log
grep 'ERROR\|WARN' log
grep -F 'a.b' f
grep -F . csv
grep -H a f
grep -h a f cut
grep a f cut
grep -r two d
grep -rn two d
grep -s a nofile
grep a nofile
grep a nofile f
grep '\(.\)\1' words
grep -E '(.)\1' words
grep 'p\{2\}' words
grep -E 'p{2}' words
grep '[[:upper:]]' words
grep '^[^ab]' words
grep '\<b' words
grep -c '' empty
grep '' f
grep -E 'a|' f
grep -v '' f
grep 'a\(' f
grep '[a' f
grep '[[:foo:]]' f
grep -E 'a{1' f
grep -E '(' f
grep -E ')' f
grep -E '*a' f
grep -z
grep
grep -A x a f
grep a < f
grep -H a < f
grep -c a - f < f
grep -i BANANA words
grep -iw APPLE words
grep -ob an words
egrep 'x|b' f
fgrep . csv
grep -vc INFO log
grep -E '[0-9]+$' nums
grep -oE '[a-z]+' nums
grep -oE 'a|an|ana' words
grep -n '^$' para
grep --color=always an words
grep --include=inner -r one d
sed s/a/X/ f
sed -n 2p s1
sed -n '/ERROR/p' log
sed '/INFO/d' log
sed -n '2,4p' s1
sed '3q' s1
sed 's/\([a-z]*\) \([0-9]*\)/\2 \1/' left
sed -E 's/([a-z]+) ([0-9]+)/\2 \1/' left
sed 's/o/0/g' log
sed 's/o/0/2' log
sed -n 's/ERROR/E/p' log
sed 's/./&&/' f
sed '$d' s1
sed '1d' s1
sed -n '$=' s1
sed '2i\new' f
sed '1a added' f
sed '1c changed' f
sed '/10:01/,/10:03/d' log
sed -n '/10:01/,/10:03/{/ERROR/p}' log
sed 's|/|-|g' < log
sed 'y/abc/xyz/' words
sed -n 'l' tabs
sed = f
sed N f
sed 'N;s/\n/,/' s1
sed ':a;N;$!ba;s/\n/ /g' s1
sed '1!G;h;$!d' s1
sed -n '1~3p' s1
sed '0,/apple/s//X/' words
sed -e 's/a/1/' -e 's/b/2/' f
sed -f edit.sed words
sed 's/a/b' f
sed k f
sed 's/\(/x/' f
sed p nofile
sed
sed -n '/a/!p' f
sed 's/image: nginx:.*/image: nginx:1.27/' yaml
sed 's/^/    /' f
sed 's/[^,]*,//' csv
sed -n '3,${p}' f
sed 's/x*/-/g' f
sed 'n;d' s1
sed '$!N;P;D' words
sed 's/B/\n/' words
sed -n '2{p;q}' s1
sed 'bend;s/a/X/;:end' f
sed 's/a/X/;ta;s/b/Y/;:a' f
sed G f
sed -s -n '$p' f cut
sed 's/a\|b/c/' f
sed '/^$/d' para
sed 's/ *$//' long
sed '5,+2d' s1
sed s/e/E/I words
sed x f
sed 's/.*/"&"/' f
sed 'r cut' f
sed p cut
awk '{print $1}' left
awk '{print $NF}' log
awk -F, '{print $2}' csv
awk -F, 'NR>1{s+=$2} END{print s}' csv
awk -v x=5 'BEGIN{print x+1}'
awk -f prog.awk f
awk '/ERROR/' log
awk '/ERROR/{n++} END{print n}' log
awk 'NR==2' log
awk 'NR==2,NR==4' log
awk '/10:01/,/10:03/' log
awk 'END{print NR}' s1
awk '{a[$3]++} END{print length(a)}' log
awk '!seen[$0]++' words
awk '{print length}' words
awk '{print NR, $0}' f
awk 'BEGIN{OFS="-"}{$1=$1; print}' left
awk '{$2="x"; print}' left
awk '{print $1, $2 > "/dev/stderr"}' left
awk 'BEGIN{printf "%5.2f|%-5s|%05d|%x|%o|%c|%e|%%\n", 3.14159, "ab", 42, 255, 8, "A", 12345.678}'
awk 'BEGIN{print substr("hello",2,3), index("hello","l"), toupper("abc"), tolower("ABC"), length("abc")}'
awk 'BEGIN{n=split("a:b:c",q,":"); print n, q[1], q[3]}'
awk 'BEGIN{s="foobar"; sub(/o+/,"0",s); print s; gsub(/[a-z]/,"<&>",s); print s}'
awk 'BEGIN{print match("foobar","o+"), RSTART, RLENGTH}'
awk 'BEGIN{print 1/3, 1e6, 0.1, 100000, 3.0, -7%3, 7/2, int(3.9), int(-3.9)}'
awk 'BEGIN{print 1==1.0, "a"<"b", "10"<"9", 10<9, 2<10}'
awk '{if($1>5) print "big"; else print "small"}' nums
awk 'BEGIN{for(i=0;i<3;i++) s=s i; print s}'
awk 'BEGIN{i=0; while(i<3){i++; if(i==2) continue; print i}}'
awk 'BEGIN{do {i++} while(i<5); print i}'
awk 'BEGIN{a["x"]=1; if("x" in a) print "yes"; delete a["x"]; if(!("x" in a)) print "no"}'
awk 'BEGIN{a[1,2]=3; for(k in a){split(k,p,SUBSEP); print p[1], p[2]}}'
awk 'function f(n){return n<2?1:n*f(n-1)} BEGIN{print f(5)}'
awk 'function g(a){a["k"]=7} BEGIN{g(z); print z["k"]}'
awk 'NR==2{exit 3} {print} END{print "end"}' f
awk '{next; print "no"} END{print "e"}' f
awk 'BEGIN{while((getline l < "f")>0) print "got " l}'
awk 'NR==1{getline; print}' f
awk 'NR==1{getline x; print x, NR}' f
awk 'BEGIN{RS=""}{print NR": "$1}' para
awk 'BEGIN{RS=","}{print}' f
awk 'BEGIN{FS=":"}{print $2}' yaml
awk -F: '/image/{print $2 ":" $3}' yaml
awk -F'[ :]+' '{print $2, $3}' log
awk -F'\t' '{print $2}' tabs
awk -Ft '{print $1}' tabs
awk '{print FILENAME, FNR, NR}' f cut
awk '{ x = x $1 } END { print x }' left
awk '$2 ~ /^[0-9]+$/ {s+=$2} END {print s/NR}' left
awk '{ $5="e"; print; print NF; NF=2; print }' left
awk 'BEGIN{x=5; print x++ + ++x, x--, x, -x, !x, x^2}'
awk 'BEGIN{print length("a" "b") "c" 1+2}'
awk 'BEGIN{print 1,2 > "/dev/stdout"}'
awk 'BEGIN { "x" ~ "x" && r = 1; print r }'
awk 'BEGIN{print index("abc","")}'
awk 'BEGIN{print substr("hello",0)}'
awk 'BEGIN{print 010+0, "0x1A"+0, "3x"+0, +"1e2"}'
awk '{sum[$1]+=$2} END{print sum["a"], sum["zz"]+0}' left
awk '{print $1 $2; print($1, $2)}' left
awk 'BEGIN{getline; print "first " $0}{print}' f
awk 1 nofile
awk '{print' f
awk 'BEGIN{print 1/0}'
awk 'BEGIN{nofunc()}'
awk
awk '{printf "%s\n", $1}' x=1 f
awk '{print v}' v=7 f
awk 'BEGIN{print ARGC, ARGV[1]}' f
awk 'BEGIN{print toupper(substr("pod",1,1)) substr("pod",2)}'
awk 'BEGIN { printf "%s %s %s\n", "a", "b" }'
awk 'BEGIN{printf "%d\n", "0012"}'
awk 'BEGIN{print -0, 1e300*1e300, log(1)}'
awk 'BEGIN{CONVFMT="%.2g"; a=3.14159; b=a ""; print b}'
awk 'BEGIN{OFMT="%.2f"; print 3.14159}'
awk 'BEGIN{exit} END{print "e"}'
awk 'BEGIN{exit 4}'
sort words
sort -r words
sort -n nums
sort -rn nums
sort -u words
sort -f words
sort -k2 nums
sort -k2,2 -k1n nums
sort -t, -k2n csv
sort -t, -k2,2nr csv
sort -h human
sort -V vers
sort -M months
sort -c words
sort -c f
sort -nu nums
sort -s -k2 nums
sort cut f
sort nofile
sort -k 0 f
sort -z
sort -t ab f
sort < nums
sort -b -k2 nums
sort -k1.2 words
sort -fu words
sort -o out words
uniq words
uniq -c nums
uniq -d nums
uniq -u nums
uniq -i words
uniq -f1 nums
uniq -s1 nums
uniq -w1 words
uniq nofile
uniq -cd nums
wc f
wc f cut
wc -l s1
wc -w long
wc -c bin
wc -l f cut
wc -lw f
wc -L long
wc nofile
wc f nofile
wc -l < s1
wc < s1
wc -m f
wc d
wc -Z
wc empty
cut -d, -f2 csv
cut -d, -f1,3 csv
cut -d, -f2- csv
cut -d, -f-2 csv
cut -c1-3 words
cut -c2 words
cut -b1,3 words
cut -f1 tabs
cut -f2 csv
cut -s -f2 csv
cut -c 1-2,4- words
cut f
cut -f1 -c1 f
cut -f0 f
cut -f3-1 csv
cut -fx csv
cut -d, -f1 nofile
cut -d: -f2 < yaml
cut --output-delimiter=- -d, -f1,2 csv
tr a-z A-Z < words
tr -d a < words
tr -s p < words
tr -d '\n' < f
tr ab xy < f
tr -c 'a-z\n' _ < words
tr -cd 0-9 < log
tr '[:lower:]' '[:upper:]' < words
tr '[:upper:]' '[:lower:]' < words
tr '\n' ' ' < f
tr -s ' \n' '\n' < long
tr 'a-c' 'x' < f
tr -d '\r' < crlf
tr '\t' , < tabs
tr a
tr
tr z-a x < f
tr '[:foo:]' x < f
tr -dc '[:alnum:]' < log
rev words
rev cut
nl f
nl para
nl -ba para
nl -w3 -s: f
nl -v10 -i5 f
nl -n rz f
nl -n ln f
fold -w 20 long
fold -s -w 20 long
fold -w5 cut
fold -w 10 tabs
paste f cut
paste -d, f cut
paste -s f
paste -sd, s1
paste - - < s1
paste -d: - - - < s1
paste f nofile
comm left right
comm -12 left right
comm -3 left right
join left right
join -a1 left right
join -v2 left right
join -o 1.1,2.2 left right
join -t, csv csv
expand tabs
expand -t4 tabs
expand -i tabs
unexpand -a long
unexpand -a -t4 yaml
unexpand yaml
column -t nums
column -t -s, csv
column s1
seq 5
seq 2 5
seq 1 2 9
seq 5 -2 1
seq 3 1
seq -w 8 11
seq -s, 4
seq 0.5 0.5 2
seq -f %03g 3
seq
seq x
seq 1 2 3 4
expr 1 + 2
expr 2 '*' 3
expr 7 / 2
expr 7 % 4
expr 7 - 9
expr 1 / 0
expr a + 1
expr 3 '>' 2
expr abc '<' abd
expr 1 = 2
expr abc : 'a\(.\)'
expr abc : 'ab*'
expr abcdef : '.*'
expr length hello
expr substr hello 2 3
expr index hello l
expr match hello 'h.*l'
expr '(' 1 + 2 ')' '*' 3
expr 0
expr ''
expr a '|' b
expr 0 '|' b
expr a '&' 0
expr 1 +
expr
factor 12 97 360
base64 f
base64 long
base64 -w 20 long
base64 -w0 long
base64 -d < f
md5sum f
md5sum f cut
md5sum < f
md5sum nofile
md5sum -c sums
sha1sum f
sha256sum f
sha512sum f
cksum f
cksum f s1
od f
od -c bin
od -An -tx1 bin
od -x bin
od -b f
od -d s1
od -t d4 bin
od -A x -t x1 s1
od -A d -c f
od -N 4 -c bin
od -j 6 -c bin
od zeros
od -v zeros
od -t x2 -w8 s1
od -An -t u1 bin
od -a bin
od -tz f
od nofile
hexdump f
hexdump -C bin
hexdump -C s1
hexdump -c bin
hexdump -b f
hexdump -d f
hexdump -x f
hexdump -n 5 -C bin
hexdump -s 6 -C bin
hexdump -C zeros
hexdump -v -C zeros
hexdump zeros
xxd bin
xxd -p bin
xxd -p long
xxd -i f
xxd -g1 bin
xxd -c 8 bin
xxd -l 5 bin
xxd -s 6 bin
strings bin
strings -n 2 bin
strings -n 6 bin
cmp f f
cmp f cut
cmp -s f cut
cmp -l f cut
cmp s1 s2
cmp f nofile
cmp f empty
diff f f
diff s1 s2
diff f cut
diff -q s1 s2
diff -s f f
diff nofile f
diff -u -L a -L b s1 s2
diff -U1 -L a -L b s1 s2
diff -U0 -L a -L b s1 s2
diff -i words words
diff -b f cut
diff f empty
diff empty f
diff d/inner d2/inner
diff -r d d2
diff d d2
diff -rq d d2
diff f
less f
more f
tsort deps
shuf -i 3-3
cal 2 2024
cal -m 9 1999
cal 2025
cal -j 3 2024
dos2unix < crlf
unix2dos < f
dos2unix nofile
shuf -n 0 f
tee < f
tee /dev/null < f
tee out < f
"""


def parts(line: str) -> tuple[list[str], str]:
    """(the words of a line, its standard input)."""
    found = re.fullmatch(r"(.*?) < ([\w.]+)", line)
    return shlex.split(found[1] if found else line), FILES[found[2]] if found else ""
