/** The codes a driver reads, with the names MongoDB gives them. */
const CODE_NAMES: Readonly<Record<number, string>> = {
  1: 'InternalError',
  2: 'BadValue',
  8: 'UnknownError',
  9: 'FailedToParse',
  13: 'Unauthorized',
  14: 'TypeMismatch',
  15: 'Overflow',
  20: 'IllegalOperation',
  22: 'InvalidBSON',
  26: 'NamespaceNotFound',
  27: 'IndexNotFound',
  28: 'PathNotViable',
  33: 'CannotBackfillArray',
  40: 'ConflictingUpdateOperators',
  43: 'CursorNotFound',
  48: 'NamespaceExists',
  50: 'MaxTimeMSExpired',
  51: 'ManualInterventionRequired',
  52: 'DollarPrefixedFieldName',
  53: 'InvalidIdField',
  54: 'NotSingleValueField',
  56: 'EmptyFieldName',
  57: 'DottedFieldName',
  59: 'CommandNotFound',
  66: 'ImmutableField',
  67: 'CannotCreateIndex',
  72: 'InvalidOptions',
  73: 'InvalidNamespace',
  85: 'IndexOptionsConflict',
  86: 'IndexKeySpecsConflict',
  91: 'ShutdownInProgress',
  96: 'OperationFailed',
  115: 'CommandNotSupported',
  121: 'DocumentValidationFailure',
  146: 'ExceededMemoryLimit',
  167: 'CommandNotSupportedOnView',
  168: 'InvalidPipelineOperator',
  171: 'CannotIndexParallelArrays',
  197: 'InvalidIndexSpecificationOption',
  224: 'QueryFeatureNotAllowed',
  238: 'NotImplemented',
  241: 'ConversionFailure',
  251: 'NoSuchTransaction',
  263: 'OperationNotSupportedInTransaction',
  292: 'QueryExceededMemoryLimitNoDiskUseAllowed',
  10334: 'BSONObjectTooLarge',
  11000: 'DuplicateKey',
  11600: 'InterruptedAtShutdown',
  14031: 'OutOfDiskSpace',
}

/** An error with a MongoDB code: it is answered to the client as it is. */
export class CommandError extends Error {
  readonly code: number
  readonly codeName: string

  constructor(code: number, message: string) {
    super(message)
    this.code = code
    this.codeName = CODE_NAMES[code] ?? `Location${code}`
  }
}

/** The error of a unique index: its answer carries the pattern and the value. */
export class DuplicateKeyError extends CommandError {
  /** BSON documents, ready to be written into the answer. */
  readonly keyPattern: Buffer
  readonly keyValue: Buffer

  constructor(message: string, keyPattern: Buffer, keyValue: Buffer) {
    super(11000, message)
    this.keyPattern = keyPattern
    this.keyValue = keyValue
  }
}

/** A document that its collection's validator refuses; the answer says which. */
export class DocumentValidationError extends CommandError {
  /** A BSON document, ready to be written into the answer. */
  readonly errInfo: Buffer

  constructor(errInfo: Buffer) {
    super(121, 'Document failed validation')
    this.errInfo = errInfo
  }
}

export const badValue = (message: string) => new CommandError(2, message)
export const failedToParse = (message: string) => new CommandError(9, message)
export const typeMismatch = (message: string) => new CommandError(14, message)
export const illegalOperation = (message: string) => new CommandError(20, message)
export const namespaceNotFound = (message: string) => new CommandError(26, message)
export const notSupported = (what: string) =>
  new CommandError(238, `${what} is not supported by the embedded store; a MongoDB server has it`)
