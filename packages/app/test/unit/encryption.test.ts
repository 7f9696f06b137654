import { EncLevel, EncPolicy } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { encryptionSettings } from '../../src/options/encryption.ts'

test('without options the defaults of the engine hold', () => {
  expect(encryptionSettings({})).toEqual({})
})

test('a policy holds for both directions, a level for both as well', () => {
  expect(encryptionSettings({ encryption: 'disabled' })).toEqual({
    inEncPolicy: EncPolicy.disabled,
    outEncPolicy: EncPolicy.disabled,
  })
  expect(encryptionSettings({ encryption: 'enabled', encryptionLevel: 'plaintext' })).toEqual({
    inEncPolicy: EncPolicy.enabled,
    outEncPolicy: EncPolicy.enabled,
    allowedEncLevel: EncLevel.plaintext,
  })
})

test('who forces encryption has everything encrypted where he may choose', () => {
  expect(encryptionSettings({ encryption: 'forced' })).toMatchObject({ preferRc4: true })
})

test('a level for connections that are not encrypted makes no sense, and is said so', () => {
  expect(() => encryptionSettings({ encryption: 'disabled', encryptionLevel: 'rc4' })).toThrow(/Leave one out/)
})
