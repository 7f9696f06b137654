import { addressOfDestination } from './destination.ts'
import { SamHandshake, type SamStep, wrongDestination } from './samHandshake.ts'
import { samLine } from './samMessage.ts'

/** Waits for somebody to connect to a session: `STREAM ACCEPT`. Done when that has happened. */
export class SamAccept extends SamHandshake {
  /** The address of who connected; empty before. */
  address = ''
  private accepted = false

  constructor(private readonly sessionId: string) {
    super()
  }

  /** The bridge has agreed: from now on it takes as long as it takes. */
  get isListening(): boolean {
    return this.accepted
  }

  get isAsking(): boolean {
    return false
  }

  protected greeted(): Uint8Array {
    return samLine('STREAM ACCEPT', { ID: this.sessionId, SILENT: 'false' })
  }

  protected onLine(line: string): SamStep {
    if (!this.accepted) {
      const reply = this.expect(line, 'STREAM STATUS', 'proxy')
      if (!('values' in reply)) return reply
      this.accepted = true
      return { name: 'listen' }
    }
    // Newer bridges tell ports behind it.
    const address = addressOfDestination(line.split(' ', 1)[0])
    if (address === null) return wrongDestination()
    this.address = address
    return { name: 'done' }
  }
}
