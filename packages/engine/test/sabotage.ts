import { expect, vi } from 'vitest'

/** Breaks a method, however private, until `vi.restoreAllMocks`: it throws an `Error` with the text `our bug`. */
export function sabotage(owner: { readonly prototype: object }, method: string): void {
  expect(owner.prototype).toHaveProperty(method)
  vi.spyOn(owner.prototype as Record<string, () => void>, method).mockImplementation(() => {
    throw new Error('our bug')
  })
}
