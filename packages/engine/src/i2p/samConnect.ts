import { normalizeI2pAddress } from '../address/i2pAddress.ts'
import { addressOfDestination, isDestination } from './destination.ts'
import { SamHandshake, type SamStep, wrongDestination } from './samHandshake.ts'
import { samLine } from './samMessage.ts'

/** A stream to a destination: `STREAM CONNECT`, after `NAMING LOOKUP` when the destination is given by a name. */
export class SamConnect extends SamHandshake {
  private stage: 'greeting' | 'lookup' | 'connect' = 'greeting'

  constructor(
    /** Of the session that the stream is to belong to. */
    private readonly sessionId: string,
    /** A full destination in base 64, or a name: `....b32.i2p`, or one of the router's address book. */
    private readonly target: string,
  ) {
    super()
  }

  get isAsking(): boolean {
    return this.stage !== 'greeting'
  }

  protected greeted(): Uint8Array {
    if (isDestination(this.target)) return this.connect(this.target)
    this.stage = 'lookup'
    return samLine('NAMING LOOKUP', { NAME: this.target })
  }

  protected onLine(line: string): SamStep {
    const reply = this.expect(line, this.stage === 'lookup' ? 'NAMING REPLY' : 'STREAM STATUS', 'connect')
    if (!('values' in reply)) return reply
    if (this.stage === 'connect') return { name: 'done' }
    const destination = reply.values.get('VALUE') ?? ''
    const address = addressOfDestination(destination)
    const expected = normalizeI2pAddress(this.target)
    // A base 32 name is the hash of what it stands for.
    if (address === null || (expected !== null && expected !== address)) return wrongDestination()
    return { name: 'say', line: this.connect(destination) }
  }

  private connect(destination: string): Uint8Array {
    this.stage = 'connect'
    return samLine('STREAM CONNECT', { ID: this.sessionId, DESTINATION: destination, SILENT: 'false' })
  }
}
