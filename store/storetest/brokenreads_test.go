package storetest

var brokenReads = []broken{
	{"Get returns nothing without an error", []string{"Get/Absent"}},
	{"Get finds a device of any user", []string{"Get/Absent"}},
	{"Get hides what is inactive", []string{"Get/Inactive"}},
	{"Get shows what has expired", []string{"Expiry/Boundary"}},
	{"Get reads in two steps", []string{"Race/GetWhileReplacing"}},

	{"Holder returns nothing without an error", []string{"Holder/Absent"}},
	{"Holder hides what is inactive", []string{"Holder/Inactive"}},
	{"Holder knows one spelling", []string{"Holder/Respelled"}},
	{"Holder shows who gave the token up", []string{"Register/Replace"}},
	{"Holder shows what has expired", []string{"Expiry/Boundary"}},
	{"Holder reads in two steps", []string{"Race/HolderWhileMoving"}},
	{"Holder gives up when the token moves", []string{"Race/HolderWhileMoving"}},

	{"List of none is an error", []string{"List/None"}},
	{"List shows what is inactive", []string{"List/OnlyActive"}},
	{"List shows what has expired", []string{"Expiry/Boundary"}},
	{"List takes a user for a prefix", []string{"List/OnlyTheUsers"}},
	{"List is in no order", []string{"List/ByDeviceID"}},
	{"List is ordered without regard to case", []string{"List/ByDeviceID"}},
	{"List is one page", []string{"DeleteUser/Many"}},
	{"hands out the list that it keeps", []string{"Values/OfList"}},
	{"List reads one by one", []string{"Race/ListWhileMoving"}},
}
