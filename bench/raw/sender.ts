/** Sends argv[2] bytes to whoever connects; prints its port first. */
import { createServer, type Socket } from 'node:net'

const total = Number(process.argv[2])
const chunk = Buffer.alloc(256 * 1024, 'raw pipeline ')

const server = createServer((socket) => {
  server.close()
  send(socket, total)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ event: 'ready', port: typeof address === 'object' ? address?.port : 0 }))
})

function send(socket: Socket, left: number): void {
  let remaining = left
  const more = () => {
    while (remaining > 0) {
      const part = remaining < chunk.length ? chunk.subarray(0, remaining) : chunk
      remaining -= part.length
      if (!socket.write(part)) return
    }
    socket.end()
    socket.off('drain', more)
  }
  socket.on('drain', more)
  more()
}

// Stays until told to go, so that its processor time can be read.
process.stdin.on('end', () => process.exit(0)).resume()
