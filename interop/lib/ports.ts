import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const given = new Set<number>()

/** A TCP port of 127.0.0.1 that is free now and that this run has not handed out before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
      })
    })
    if (port !== 0 && !given.has(port)) {
      given.add(port)
      return port
    }
  }
}

const LISTEN_STATE = '0A'

/** Whether some process listens on TCP `port`, read from the kernel's table so that no client sees a probing connection. */
export function isListening(port: number): boolean {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    readTable(table)
      .split('\n')
      .some((line) => {
        const [, local, , state] = line.trim().split(/\s+/)
        return state === LISTEN_STATE && local?.endsWith(`:${hexPort}`) === true
      }),
  )
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
