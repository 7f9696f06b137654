/** Our tracker for the benchmark. Usage: node ours.js PORT. Ends with its standard input. */
import { TrackerServer } from 'libtorrent-ts/tracker'

const tracker = new TrackerServer({ port: Number(process.argv[2]), hosts: ['127.0.0.1'], requestsPerSecond: 0 })
await tracker.ready
console.log(JSON.stringify({ event: 'ready' }))
process.stdin.on('end', () => process.exit(0)).resume()
