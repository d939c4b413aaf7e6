export { poolMethods } from "./Methods.ts"
