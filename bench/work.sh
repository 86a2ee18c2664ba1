#!/bin/sh
# Real work in the current directory, cleaned up behind itself: work.sh commit|tar|make
set -eu
rm -rf job
mkdir job
cd job
case $1 in
commit)
	mkdir files
	i=0
	while [ $i -lt 2000 ]; do
		echo "file $i" >files/$i
		i=$((i + 1))
	done
	git init -q .
	git add .
	git -c user.name=bench -c user.email=bench@example.com commit -q -m all
	;;
tar)
	mkdir files
	i=0
	while [ $i -lt 5000 ]; do
		echo "file $i" >files/$i
		i=$((i + 1))
	done
	tar cf all.tar files
	rm -rf files
	tar xf all.tar
	;;
make)
	i=0
	while [ $i -lt 40 ]; do
		echo "#include <stdio.h>
int f$i(int x) { return printf(\"%d\", x) + $i; }" >f$i.c
		i=$((i + 1))
	done
	printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\n' >Makefile
	make -s -j2
	;;
esac
cd ..
rm -rf job
