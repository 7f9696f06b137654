import { EncLevel, EncPolicy, type Settings } from 'libtorrent-ts'
import { CliError, USAGE_EXIT_CODE } from '../cliError.ts'

/** How connections to peers are encrypted; options as commander gives them. */
export interface EncryptionOptions {
  readonly encryption?: keyof typeof EncPolicy
  readonly encryptionLevel?: keyof typeof EncLevel
}

/**
 * The same for connections in both directions; settings tell them apart (`--set in_enc_policy=...`).
 * @throws CliError when a level is given for connections that are not encrypted
 */
export function encryptionSettings({ encryption, encryptionLevel }: EncryptionOptions): Partial<Settings> {
  if (encryption === 'disabled' && encryptionLevel !== undefined) {
    const text =
      '--encryption-level says how much is encrypted, and with --encryption disabled nothing is. Leave one out.'
    throw new CliError(text, USAGE_EXIT_CODE)
  }
  const policy = encryption === undefined ? undefined : EncPolicy[encryption]
  return {
    ...(policy !== undefined && { inEncPolicy: policy, outEncPolicy: policy }),
    ...(encryptionLevel !== undefined && { allowedEncLevel: EncLevel[encryptionLevel] }),
    // Who asks for encryption by name wants the content encrypted where the other side lets us choose.
    ...(encryption === 'forced' && { preferRc4: true }),
  }
}
