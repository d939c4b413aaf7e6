/** The magic of mainnet's messages, as the files of these tests carry it. */
export const MAINNET_MAGIC = 0xd9b4bef9
