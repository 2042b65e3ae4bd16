import isNumber from "is-number";
import leftPad from "left-pad";

console.log(leftPad(isNumber("42") ? "42 is a number" : "42 is none", 20));
