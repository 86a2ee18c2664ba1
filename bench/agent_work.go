// What a Go program does all day, garbage and maps included; its argument is how often.
package main

import (
	"fmt"
	"os"
	"sort"
	"strconv"
)

func main() {
	rounds, _ := strconv.Atoi(os.Args[1])
	total := 0
	for r := 0; r < rounds; r++ {
		counts := map[string]int{}
		for i := 0; i < 20000; i++ {
			counts[strconv.Itoa(i%4999)] += i
		}
		keys := make([]string, 0, len(counts))
		for key := range counts {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		total += counts[keys[r%len(keys)]]
	}
	fmt.Println(total)
}
