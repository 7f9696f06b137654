import { EncLevel, EncPolicy } from './settingEnums.ts'
import { bool, choice, source } from './settingRow.ts'

const PE_SETTINGS = 'manual 0.15.5, pe_settings'

/** Settings about the encryption of connections (MSE/PE), which hides from networks that they are BitTorrent. */
export const encryptionSettings = {
  outEncPolicy: choice<EncPolicy>('out_enc_policy', EncPolicy, {
    default: EncPolicy.enabled,
    source: PE_SETTINGS,
    doc: 'Whether connections that we open are encrypted. `enabled`: a peer is tried as it is known to work, else in plain text first and encrypted when that fails.',
  }),
  inEncPolicy: choice<EncPolicy>('in_enc_policy', EncPolicy, {
    default: EncPolicy.enabled,
    source: PE_SETTINGS,
    doc: 'Whether connections that peers open may or must be encrypted.',
  }),
  allowedEncLevel: choice<EncLevel>('allowed_enc_level', EncLevel, {
    default: EncLevel.both,
    source: PE_SETTINGS,
    doc: 'What of an encrypted connection may be encrypted: the handshake (`plaintext`), everything (`rc4`), or either.',
  }),
  preferRc4: bool('prefer_rc4', {
    default: false,
    source: PE_SETTINGS,
    doc: 'Encrypt everything when peers leave the choice to us. Otherwise the handshake only, which costs nothing.',
  }),
  announceCryptoSupport: bool('announce_crypto_support', {
    default: true,
    source: source.v1_1,
    doc: 'Tell HTTP trackers that we accept encrypted connections (`supportcrypto=1`), unless `inEncPolicy` is `disabled`.',
  }),
} as const
