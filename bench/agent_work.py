# What an interpreter does all day: calls, numbers, dictionaries, texts. The module's size of work is its argument.
import sys


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


counts = {}
for i in range(int(sys.argv[1]) * 1000):
    word = str(i % 997)
    counts[word] = counts.get(word, 0) + len(word)
print(fibonacci(20), sorted(counts.items())[:2])
