import type { TlsContext } from '../platform/tls.ts'
import type { HttpConnection, HttpTarget } from './httpConnection.ts'

interface Resting {
  readonly key: string
  /** Whom its server is vouched for by. */
  readonly tls: TlsContext | undefined
  readonly connection: HttpConnection
}

/** Connections to web servers that are kept for another exchange. */
export class HttpConnections {
  private resting: Resting[] = []
  private isClosed = false

  /** Keeps `most` at a time that nobody uses. */
  constructor(private readonly most: number) {}

  /** One that was used before, if there is one: the last, which is the least likely to be closed by the server. */
  take(target: HttpTarget): HttpConnection | null {
    const key = keyOf(target)
    this.resting = this.resting.filter(({ connection }) => !connection.isClosed)
    const at = this.resting.findLastIndex((each) => each.key === key && each.tls === target.tls)
    return at === -1 ? null : this.resting.splice(at, 1)[0].connection
  }

  /** The answer of an exchange is complete. */
  giveBack(target: HttpTarget, connection: HttpConnection): void {
    if (this.isClosed || connection.isClosed) return connection.destroy()
    connection.rest()
    this.resting.push({ key: keyOf(target), tls: target.tls, connection })
    if (this.resting.length > this.most) this.resting.shift()?.connection.destroy()
  }

  /** Closes those that nobody uses, and from now on each when it is given back. */
  close(): void {
    this.isClosed = true
    for (const { connection } of this.resting.splice(0)) connection.destroy()
  }
}

function keyOf({ tlsModule, host, port, validateCertificate, localAddress = '', via }: HttpTarget): string {
  return `${tlsModule === null ? 'http' : validateCertificate ? 'https' : 'any'} ${host} ${port} ${localAddress} ${via}`
}
