// Prints a line: what a Go program needs at the least.
package main

import "fmt"

func main() {
	fmt.Println("hello")
}
