// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// An ERC-20 as small as it goes. Anyone may mint: it exists to make logs.
contract DemoToken {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Note(address indexed author, bytes32 indexed digest, bytes text);

    error InsufficientBalance(address owner, uint256 balance, uint256 needed);
    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);

    string public name;
    string public symbol;
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor(string memory name_, string memory symbol_, uint256 supply) {
        name = name_;
        symbol = symbol_;
        mint(msg.sender, supply);
    }

    function mint(address to, uint256 value) public {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < value) revert InsufficientAllowance(msg.sender, allowed, value);
        allowance[from][msg.sender] = allowed - value;
        move(from, to, value);
        return true;
    }

    /// One log for each receiver, so that some receipts are long.
    function airdrop(address[] calldata to, uint256 value) external {
        for (uint256 i = 0; i < to.length; i++) mint(to[i], value);
    }

    /// Takes calldata of any size.
    function note(bytes calldata text) external {
        emit Note(msg.sender, keccak256(text), text.length > 64 ? text[:64] : text);
    }

    function move(address from, address to, uint256 value) private {
        uint256 balance = balanceOf[from];
        if (balance < value) revert InsufficientBalance(from, balance, value);
        unchecked {
            balanceOf[from] = balance - value;
            balanceOf[to] += value;
        }
        emit Transfer(from, to, value);
    }
}

/// Cheap to deploy, and what accounts delegate to with EIP-7702.
contract DemoCounter {
    event Counted(address indexed by, uint256 count);
    error Refused(string why);

    uint256 public count;

    function increment() external {
        count += 1;
        emit Counted(msg.sender, count);
    }

    function refuse(string calldata why) external pure {
        revert Refused(why);
    }

    /// Runs until the gas is gone.
    function spin() external {
        while (true) count += 1;
    }

    receive() external payable {}
}
