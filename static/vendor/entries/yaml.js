export { parseAllDocuments, isMap, isSeq, isPair, isScalar, visit } from "yaml";
