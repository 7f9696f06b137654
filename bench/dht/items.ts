/** What the items of the DHT bench say. */
export function itemText(i: number): string {
  return `item ${i} of the benchmark`
}
