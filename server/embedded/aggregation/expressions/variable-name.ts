import { CommandError } from '../../errors.ts'

/** Refuses a name that a user's variable may not have. */
export function checkVariableName(name: string): void {
  if (name === '') throw new CommandError(16866, 'empty variable names are not allowed')
  if (!/^[a-z\x80-\uffff]/.test(name) && name !== 'CURRENT')
    throw new CommandError(16867, `'${name}' starts with an invalid character for a user variable name`)
  const wrong = /[^\w\x80-\uffff]/.exec(name)
  if (wrong)
    throw new CommandError(
      16868,
      `'${name}' contains an invalid character for a variable name: '${wrong[0]}'`,
    )
}
