export { erf, erfc } from "@descent/backend";
